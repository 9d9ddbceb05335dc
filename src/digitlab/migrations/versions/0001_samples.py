"""Samples with their pictures, and how often people said right or wrong."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "samples",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("ink_digest", sa.String(64), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("predicted", sa.SmallInteger),
        sa.Column("probabilities", sa.JSON),
        sa.Column("is_digit", sa.Double),
        sa.Column("predicted_by", sa.String(64)),
        sa.Column("label", sa.SmallInteger, nullable=False),
        sa.Column("loss", sa.Double, nullable=False),
        sa.Column("confirmed", sa.Boolean, nullable=False),
        sa.Column("session", sa.String(64)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_samples"),
        sa.UniqueConstraint("digest", name="uq_samples_digest"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_samples_ink_digest", "samples", ["ink_digest"])
    for column in ("created", "loss", "state", "label"):
        op.create_index(f"ix_samples_{column}", "samples", [column, "id"])
    op.create_table(
        "pictures",
        sa.Column("sample", sa.Integer, nullable=False),
        sa.Column("crop", sa.LargeBinary, nullable=False),
        sa.Column("ink", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("sample", name="pk_pictures"),
        sa.ForeignKeyConstraint(
            ["sample"], ["samples.id"], name="fk_pictures_sample", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "feedback",
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("verdict", sa.String(8), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("version", "day", "verdict", name="pk_feedback"),
    )
