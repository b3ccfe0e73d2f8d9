"""Dead letters that are edited and replayed, and found by what they are asked for."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_LETTER = "dead_letter"
_COLUMNS: dict[str, TypeEngine[Any]] = {
    "edited_body": sa.LargeBinary(),
    "edited_at": sa.DateTime(timezone=True),
    "replay_request_id": sa.Text(),
    "replay_attempt": sa.Integer(),
}
_INDEXES = (
    ("status", "dead_at", "id"),
    ("request_id", "attempt"),
    ("run_id", "id"),
)


def upgrade() -> None:
    """Add what an edit and a replay are remembered by, and indexes."""
    for name, type_ in _COLUMNS.items():
        op.add_column(_LETTER, sa.Column(name, type_))
    for columns in _INDEXES:
        op.create_index(_index(columns), _LETTER, columns)


def downgrade() -> None:
    """Take them away."""
    for columns in reversed(_INDEXES):
        op.drop_index(_index(columns), _LETTER)
    for name in reversed(_COLUMNS):
        op.drop_column(_LETTER, name)


def _index(columns: tuple[str, ...]) -> str:
    return f"ix_{_LETTER}_{'_'.join(columns)}"
