"""How often people called each version right and wrong, by day."""

from datetime import UTC, date, datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from digitlab.database import Database
from digitlab.schema import feedback

Entry = tuple[str, str, date, int]
"""Version, verdict, day, and how many answers more, or less."""


def count_feedback(db: Database, version: str, right: bool, times: int = 1) -> None:
    """Count an answer that was called right or wrong but is not kept; -1 takes it back."""
    with db.writing("samples") as connection:
        tally(connection, (version, verdict(right), datetime.now(UTC).date(), times))


def feedback_counts(db: Database) -> dict[str, dict[str, int]]:
    """How often each version was called right and wrong: {"1": {"right": 20, "wrong": 3}}."""
    kinds = feedback.c.version, feedback.c.verdict
    query = select(*kinds, func.sum(feedback.c.count)).group_by(*kinds)
    found: dict[str, dict[str, int]] = {}
    with db.reading() as connection:
        for version, said, number in connection.execute(query):
            found.setdefault(version, {"right": 0, "wrong": 0})[said] = int(number)
    return found


def tally(connection: Connection, entry: Entry) -> None:
    """Add to one of the counters, within a transaction of the caller."""
    version, verdict, day, times = entry
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = dialect.insert(feedback).values(version=version, verdict=verdict, day=day, count=times)
    connection.execute(
        row.on_conflict_do_update(
            index_elements=list(feedback.primary_key),
            set_={"count": feedback.c.count + row.excluded["count"]},
        )
    )


def verdict(right: bool) -> str:
    """The verdict of a person as it is stored."""
    return "right" if right else "wrong"
