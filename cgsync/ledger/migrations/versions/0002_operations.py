"""Lanes and fairness, rejects that are tried again, the guard, backfills, and people who are forgotten."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from alembic import op

from cgsync.ledger.reference import key

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _outbox()
    _rejects()
    op.add_column("source", sa.Column("guard", sa.Text(), nullable=True))
    _accounts()
    op.create_table(
        "forgotten",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    _backfills()
    op.create_table(
        "mapping",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("expressions", sa.Text(), nullable=False),
        sa.Column("first_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )


def _outbox() -> None:
    op.add_column("activity", sa.Column("failing", sa.Float(), nullable=True))
    op.drop_index("activity_due", "activity")
    op.create_index(
        "activity_due", "activity", ["lane", "source", "due", "seq"], sqlite_where=sa.text("due IS NOT NULL")
    )


def _rejects() -> None:
    op.add_column("reject", sa.Column("basis", sa.Text(), nullable=False, server_default=""))
    op.add_column("reject", sa.Column("revision", sa.Text(), nullable=True))
    op.add_column("reject", sa.Column("dropped_at", sa.Text(), nullable=True))
    op.add_column("reject", sa.Column("dropped_why", sa.Text(), nullable=True))


def _accounts() -> None:
    """Accounts that were sent before are not new ones: the guard would hold them."""
    account = op.create_table(
        "account",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("first_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    known: dict[str, dict[str, str]] = {}
    kept = sa.text("SELECT body, source, first_at FROM activity JOIN payload ON payload.seq = activity.seq")
    for body, source, first_at in op.get_bind().execution_options(yield_per=1000).execute(kept):
        name = str(msgspec.json.decode(body).get("account", ""))
        known.setdefault(key(name), {"key": key(name), "name": name, "source": source, "first_at": first_at})
    if known:
        op.bulk_insert(account, list(known.values()))


def _backfills() -> None:
    op.create_table(
        "backfill",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("since_at", sa.Text(), nullable=False),
        sa.Column("until_at", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("finished_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
