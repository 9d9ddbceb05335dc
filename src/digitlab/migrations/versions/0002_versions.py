"""Model versions, which the database itself keeps from being changed, and the champion."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

FIXED = "number, kind, parent, created, digest, metrics, settings, history, card"
"""Columns of a version that are written once."""


def upgrade() -> None:
    """Make the tables and the triggers."""
    _create_versions()
    _create_promotions()
    _forbid_changes()


def _create_versions() -> None:
    op.create_table(
        "versions",
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("parent", sa.Integer),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("metrics", sa.JSON, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("history", sa.JSON, nullable=False),
        sa.Column("card", sa.Text, nullable=False),
        sa.Column("discarded", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("number", name="pk_versions"),
        _refers_to_version("versions", "parent"),
    )
    op.create_index("ix_versions_digest", "versions", ["digest"])
    _create_part("version_files", "name", sa.Column("data", sa.LargeBinary, nullable=False))
    _create_part(
        "version_samples",
        "digest",
        sa.Column("sample", sa.Integer, nullable=False),
        sa.Column("label", sa.SmallInteger, nullable=False),
        sa.Column("part", sa.String(16), nullable=False),
    )
    _create_part(
        "evaluations",
        "name",
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )


def _create_part(table: str, key: str, *columns: sa.Column) -> None:
    """A table whose rows belong to a version."""
    op.create_table(
        table,
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column(key, sa.String(64), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("version", key, name=f"pk_{table}"),
        _refers_to_version(table, "version"),
    )


def _refers_to_version(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["versions.number"], name=f"fk_{table}_{column}")


def _create_promotions() -> None:
    op.create_table(
        "aliases",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_aliases"),
        _refers_to_version("aliases", "version"),
    )
    op.create_table(
        "promotions",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("alias", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("from_version", sa.Integer),
        sa.Column("to_version", sa.Integer, nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_promotions"),
        _refers_to_version("promotions", "from_version"),
        _refers_to_version("promotions", "to_version"),
    )


def _forbid_changes() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        op.execute(
            "CREATE FUNCTION digitlab_forbid_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'a version is written once and never changed' "
            "USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        action = "FOR EACH ROW EXECUTE FUNCTION digitlab_forbid_change()"
    else:
        action = "BEGIN SELECT RAISE(ABORT, 'a version is written once and never changed'); END"
    for name, event in (
        ("versions_update", f"UPDATE OF {FIXED} ON versions"),
        ("versions_delete", "DELETE ON versions"),
        ("version_files_update", "UPDATE ON version_files"),
        ("version_files_delete", "DELETE ON version_files"),
        ("version_samples_update", "UPDATE ON version_samples"),
        ("version_samples_delete", "DELETE ON version_samples"),
    ):
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} {action}")
