"""How the store's schema came about, step by step; Alembic applies what a database lacks."""

from pathlib import Path

FOLDER = Path(__file__).parent


def revisions() -> list[str]:
    """The numbers of all steps, the oldest first: the first four signs of each file's name."""
    return sorted(path.name[:4] for path in (FOLDER / "versions").glob("[0-9]*.py"))
