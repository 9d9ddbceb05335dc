"""Makes model/evaluations: what the shipped model was seen to answer, for the Metrics page.

A visitor's first look would take minutes otherwise. Run it whenever the model is replaced:

python scripts/evaluate_shipped_model.py
"""

from digitlab import evaluating, versions
from digitlab.recognizer import SHIPPED, Recognizer

EVALUATE = {evaluating.MNIST: evaluating.on_mnist, evaluating.ROBUSTNESS: evaluating.on_changed}


def main() -> None:
    """Read MNIST's test set, plain and changed, and keep the answers."""
    reader = Recognizer.load(SHIPPED)
    for name, evaluate in EVALUATE.items():
        versions.ship_evaluation(SHIPPED, name, evaluate(reader, _told(evaluating.DESCRIBED[name])))


def _told(what: str) -> evaluating.Tell:
    def tell(done: int, of: int) -> None:
        print(f"\r{what}: {done / max(1, of):.0%} ", end="\n" if done == of else "", flush=True)

    return tell


if __name__ == "__main__":
    main()
