"""The trainings that a network went through, as its metrics tell them under "training"."""


def stages_of(lineage: dict) -> list[dict]:
    """A training and those of the networks that it began with and was averaged with.

    Each of them once, in an order in which they can be done; the training itself is the last one.
    """
    stages: list[dict] = []
    for before in filter(None, [lineage.get("start"), *lineage.get("averaged_with", [])]):
        stages += [stage for stage in stages_of(before) if stage not in stages]
    return [*stages, lineage]


def total(lineage: dict, amount: str) -> int:
    """How much of something, "pictures" say, was made for all trainings together.

    Those that have seed and amount in common learnt from the same ones.
    """
    made = {(stage["settings"]["seed"], stage[amount]) for stage in stages_of(lineage)}
    return sum(many for _, many in made)
