"""Who alone may do something, for all servers on one database: a lock that a dead holder loses."""

import time
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from digitlab.database import Database
from digitlab.schema import leases


@dataclass(frozen=True)
class Lease:
    """Who holds what, and for how many seconds from now unless it is renewed."""

    name: str
    holder: str
    seconds: float


def acquire(db: Database, name: str, holder: str, seconds: float) -> bool:
    """Take a lease for some seconds; False if another holds it.

    Parameters
    ----------
    name : of what is done alone, like "training".
    holder : unique for whoever asks; asking again extends the lease.

    Raises
    ------
    StoreError if the database can't be reached.
    """
    with db.writing(f"lease {name}") as connection:
        now = _clock(connection)
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        row = dialect.insert(leases).values(name=name, holder=holder, expires=now + seconds)
        taken = connection.execute(
            row.on_conflict_do_update(
                index_elements=[leases.c.name],
                set_={"holder": row.excluded.holder, "expires": row.excluded.expires},
                where=or_(leases.c.expires <= now, leases.c.holder == holder),
            ).returning(leases.c.holder)
        )
        return taken.scalar() is not None


def renew(db: Database, name: str, holder: str, seconds: float) -> bool:
    """Hold on for some seconds from now; False if the lease was lost. Raises StoreError."""
    with db.writing(f"lease {name}") as connection:
        now = _clock(connection)
        held = connection.execute(
            update(leases)
            .where(leases.c.name == name, leases.c.holder == holder, leases.c.expires > now)
            .values(expires=now + seconds)
        )
        return held.rowcount == 1


def release(connection: Connection, name: str, holder: str) -> None:
    """Give a lease back within a transaction; nothing happens if another holds it."""
    connection.execute(delete(leases).where(leases.c.name == name, leases.c.holder == holder))


def current(db: Database, name: str) -> Lease | None:
    """Who holds a lease now. Raises StoreError."""
    with db.reading() as connection:
        now = _clock(connection)
        row = connection.execute(
            select(leases).where(leases.c.name == name, leases.c.expires > now)
        ).one_or_none()
    return Lease(row.name, row.holder, row.expires - now) if row else None


def _clock(connection: Connection) -> float:
    """Seconds since 1970, by a clock that all who use the database share."""
    if connection.dialect.name == "postgresql":
        now = select(func.extract("epoch", func.clock_timestamp()))
        return float(connection.execute(now).scalar())
    return time.time()  # a SQLite file is used from one machine
