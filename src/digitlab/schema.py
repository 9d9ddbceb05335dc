"""The tables of the store, as the code sees them; `migrations` makes them in a database."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
)


class Moment(TypeDecorator):
    """A time with its zone, which is UTC; SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect) -> datetime | None:
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

samples = Table(
    "samples",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),  # sha256 of the crop's pixels
    Column("ink_digest", String(64), nullable=False, index=True),
    Column("source", String(16), nullable=False),
    Column("predicted", SmallInteger),
    Column("probabilities", JSON),
    Column("is_digit", Double),
    Column("predicted_by", String(64)),
    Column("label", SmallInteger, nullable=False),
    Column("loss", Double, nullable=False),
    Column("confirmed", Boolean, nullable=False),
    Column("session", String(64)),
    Column("state", String(16), nullable=False),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    Column("deleted", Moment),
    Index("ix_samples_created", "created", "id"),
    Index("ix_samples_loss", "loss", "id"),
    Index("ix_samples_state", "state", "id"),
    Index("ix_samples_label", "label", "id"),
    sqlite_autoincrement=True,  # an undo must never hit another sample that got the same id
)

# Apart from the rest, so that counting and filtering never read past the pictures.
pictures = Table(
    "pictures",
    metadata,
    Column("sample", ForeignKey("samples.id", ondelete="CASCADE"), primary_key=True),
    Column("crop", LargeBinary, nullable=False),
    Column("ink", LargeBinary, nullable=False),
)

feedback = Table(
    "feedback",
    metadata,
    Column("version", String(64), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("verdict", String(8), primary_key=True),  # "right" or "wrong"
    Column("count", Integer, nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("parent", ForeignKey("versions.number")),
    Column("created", Moment, nullable=False),
    Column("digest", String(64), nullable=False, index=True),  # of the model and its calibration
    Column("metrics", JSON, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("history", JSON, nullable=False),
    Column("card", Text, nullable=False),
    Column("discarded", Moment),
)

version_files = Table(
    "version_files",
    metadata,
    Column("version", ForeignKey("versions.number"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

# What each sample was at the time: the sample itself may be relabelled or deleted later.
version_samples = Table(
    "version_samples",
    metadata,
    Column("version", ForeignKey("versions.number"), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("sample", Integer, nullable=False),
    Column("label", SmallInteger, nullable=False),
    Column("part", String(16), nullable=False),
)

evaluations = Table(
    "evaluations",
    metadata,
    Column("version", ForeignKey("versions.number"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("created", Moment, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

aliases = Table(
    "aliases",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("version", ForeignKey("versions.number"), nullable=False),
)

promotions = Table(
    "promotions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("alias", String(32), nullable=False),
    Column("kind", String(16), nullable=False),  # "promotion" or "roll back"
    Column("from_version", ForeignKey("versions.number")),
    Column("to_version", ForeignKey("versions.number"), nullable=False),
    Column("by", String(64), nullable=False),
    Column("created", Moment, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("progress", JSON, nullable=False),
    Column("log", Text, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("result", ForeignKey("versions.number")),
    Column("error", Text),
    Column("cancel", Boolean, nullable=False),  # somebody asked it to stop
    Column("host", String(255)),
    Column("pid", Integer),
    Column("heartbeat", Moment),
    Column("created", Moment, nullable=False),
    Column("finished", Moment),
    sqlite_autoincrement=True,
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", String(255), nullable=False),
    Column("expires", Double, nullable=False),  # seconds since 1970 by the database's clock
)
