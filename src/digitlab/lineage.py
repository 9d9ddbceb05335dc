"""The trainings that a network went through, as its metrics tell them under "training"."""


def stages_of(lineage: dict) -> list[dict]:
    """A training and those of the networks that it began with, the first one first."""
    stages = [lineage]
    while stages[0].get("start"):
        stages.insert(0, stages[0]["start"])
    return stages


def total(lineage: dict, amount: str) -> int:
    """How much of something, "pictures" say, was made for all trainings together."""
    return sum(stage[amount] for stage in stages_of(lineage))
