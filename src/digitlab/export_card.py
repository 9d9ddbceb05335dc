"""The model card of a version that has none of its own, filled from what was measured of it."""

from collections.abc import Mapping

from digitlab.versions import Version

_KINDS = {
    "shipped": "came with the program",
    "fine-tuned": "fine-tuned",
    "scratch": "trained from scratch",
    "imported": "imported",
}


def card_of(version: Version, samples: Mapping[str, Mapping[str, int]]) -> str:
    """What a stranger should know about a version, as Markdown (Mitchell et al. 2019).

    Parameters
    ----------
    samples : the corrections it was made with, as `versions.samples_of` gives them.
    """
    if version.card:
        return version.card
    rows = "\n".join(f"| {name} | {text} |" for name, text in _facts(version) if text)
    parts = [_HEAD.format(number=version.number, rows=rows)]
    parts += filter(None, (_learnt(version, samples), _compared(version)))
    return "\n".join([*parts, _LIMITS])


def _facts(version: Version) -> list[tuple[str, str]]:
    metrics = version.metrics
    made = _KINDS[version.kind] + (f" from version {version.parent}" if version.parent else "")
    program = metrics.get("program")
    made += f", {version.created:%Y-%m-%d}" + (f", with Digit Lab {program}" if program else "")
    size, parameters = metrics.get("bytes"), metrics.get("parameters")
    chosen = metrics["calibration"]
    return [
        ("Reads", "one handwritten digit as 28x28 ink, or says that it is none"),
        ("Made", made),
        ("Network", f"{parameters:,} parameters" if parameters else ""),
        ("File", f"`model.tflite`, {size:,} bytes, weights in float16" if size else ""),
        ("MNIST test", _test(metrics.get("mnist_test", {}))),
        (
            "Calibration",
            f"logits divided by {chosen['temperature']:.3f}; accepted from a confidence of "
            f"{chosen['accept']:.3f}",
        ),
    ]


def _test(test: Mapping) -> str:
    if "accuracy" not in test:
        return ""
    said = f"{test['accuracy']:.2%} right"
    if "errors" in test and "images" in test:
        said += f", {test['errors']} errors in {test['images']:,}"
    if "refused" in test:
        said += f"; {test['refused']:.2%} refused"
    if "calibration_error" in test:
        said += f"; calibration error {test['calibration_error']:.2%}"
    return said


def _learnt(version: Version, samples: Mapping[str, Mapping[str, int]]) -> str:
    if not samples:
        return ""
    counts = ", ".join(f"{len(part):,} to {name}" for name, part in _named(samples))
    said = f"## Data\n\nCorrections that people made and accepted: {counts}."
    if version.kind == "fine-tuned":
        said += " Rehearsed beside them: digits of MNIST's training part."
    return said + "\n"


def _named(samples: Mapping[str, Mapping[str, int]]):
    words = {"learn": "learn", "held back": "measure on, held back"}
    return [(words.get(name, name), part) for name, part in sorted(samples.items(), reverse=True)]


def _compared(version: Version) -> str:
    """The gate's rules, where the version was judged against the one it came from."""
    found = version.metrics.get("comparison")
    if not found or not found.get("rules"):
        return ""
    rows = "\n".join(
        f"| {rule['name']} | {'holds' if rule['holds'] else 'fails'} | {rule['reason']} |"
        for rule in found["rules"]
    )
    return _COMPARED.format(other=found["with"], rows=rows)


_HEAD = """# Model card: version {number}

| | |
| --- | --- |
{rows}
"""

_COMPARED = """## Against version {other}

The same images for both.

| rule | | |
| --- | --- | --- |
{rows}
"""

_LIMITS = """## Limits

Arabic digits 0 to 9 as Europeans and Americans write them. Letters that look like digits (O, l,
Z, S, b, q) are read as digits. Not for decisions about people without a person who checks.
"""
