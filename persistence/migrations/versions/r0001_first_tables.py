"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_ENUM = sa.String(16)
_JSON = sa.JSON().with_variant(sa.Text, "sqlite")


def upgrade() -> None:
    """Make all tables, those that others refer to first."""
    _create_runs()
    _create_states()
    _create_decisions()
    _create_dead_letters()
    _create_limits()
    op.create_table(
        "topology",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_topology"),
    )


def downgrade() -> None:
    """Drop all tables."""
    for table in (
        "topology",
        "concurrency_slot",
        "concurrency_limit",
        "dead_letter",
        "begun",
        "decision",
        "cached_state",
        "artifact",
        "run_state",
        "run",
    ):
        op.drop_table(table)


def _create_runs() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("kind", _ENUM, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("tags", _JSON, nullable=False),
        sa.Column("retries", sa.Integer),
        sa.Column("retry_delay", sa.Double),
        sa.Column("bare", sa.Boolean, nullable=False),
        sa.Column("flow_run_id", sa.Uuid),
        sa.Column("task_key", sa.Text),
        sa.Column("dynamic_key", sa.Text),
        sa.Column("deployment_id", sa.Text),
        sa.Column("parent_task_run_id", sa.Uuid),
        sa.Column("created", _MOMENT, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state_id", sa.Uuid),
        sa.Column("state_type", _ENUM),
        sa.Column("state_name", sa.Text),
        sa.Column("state_timestamp", _MOMENT),
        sa.Column("run_count", sa.Integer, nullable=False),
        sa.Column("flow_run_run_count", sa.Integer),
        sa.Column("start_time", _MOMENT),
        sa.Column("end_time", _MOMENT),
        sa.Column("total_run_time", sa.Double, nullable=False),
        sa.Column("expected_start_time", _MOMENT),
        sa.Column("next_scheduled_start_time", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
        sa.ForeignKeyConstraint(
            ["flow_run_id"],
            ["run.id"],
            name="fk_run_flow_run_id",
            deferrable=True,
            initially="DEFERRED",
        ),
    )
    op.create_index("ix_run_flow_run_id", "run", ["flow_run_id"])


def _create_states() -> None:
    op.create_table(
        "run_state",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("run_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("type", _ENUM, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("timestamp", _MOMENT, nullable=False),
        sa.Column("message", sa.Text),
        sa.Column("data", _JSON),
        sa.Column("state_details", _JSON, nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_run_state"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_run_state_run_id"),
    )
    op.create_index("ix_run_state_run_id", "run_state", ["run_id"])
    op.create_table(
        "artifact",
        sa.Column("state_id", sa.Uuid, nullable=False),
        sa.Column("run_id", sa.Uuid, nullable=False),
        sa.Column("data", _JSON, nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("state_id", name="pk_artifact"),
        sa.ForeignKeyConstraint(["state_id"], ["run_state.id"], name="fk_artifact_state_id"),
    )
    op.create_table(
        "cached_state",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("key_digest", sa.Uuid, nullable=False),
        sa.Column("cache_key", sa.Text, nullable=False),
        sa.Column("state_id", sa.Uuid, nullable=False),
        sa.Column("expiration", _MOMENT),
        sa.Column("created", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cached_state"),
        sa.ForeignKeyConstraint(
            ["state_id"], ["run_state.id"], name="fk_cached_state_state_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_cached_state_key_digest_id", "cached_state", ["key_digest", "id"])


def _create_decisions() -> None:
    op.create_table(
        "decision",
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("run_id", sa.Uuid),
        sa.Column("run_kind", _ENUM),
        sa.Column("body_sha256", sa.LargeBinary, nullable=False),
        sa.Column("user_id", sa.Text),
        sa.Column("proposed_type", _ENUM),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("rule", sa.Text),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("decided_at", _MOMENT, nullable=False),
        sa.Column("retry_at", _MOMENT),
        sa.Column("forward", _ENUM, nullable=False),
        sa.Column("forwarded", sa.Boolean, nullable=False),
        sa.Column("error_type", sa.Text),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("request_id", "attempt", name="pk_decision"),
    )
    op.create_index("ix_decision_run_id", "decision", ["run_id"])
    op.create_table(
        "begun",
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("run_id", sa.Uuid, nullable=False),
        sa.Column("body_sha256", sa.LargeBinary, nullable=False),
        sa.Column("user_id", sa.Text),
        sa.Column("begun", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("updated", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("request_id", "attempt", name="pk_begun"),
    )
    op.create_index("ix_begun_run_id", "begun", ["run_id"])


def _create_dead_letters() -> None:
    op.create_table(
        "dead_letter",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("letter_id", sa.Text, nullable=False),
        sa.Column("status", _ENUM, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("error_type", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("request_id", sa.Text),
        sa.Column("attempt", sa.Integer),
        sa.Column("run_kind", _ENUM),
        sa.Column("run_id", sa.Uuid),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("properties", _JSON, nullable=False),
        sa.Column("exchange", sa.Text),
        sa.Column("routing_key", sa.Text),
        sa.Column("consumer", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("dead_at", _MOMENT, nullable=False),
        sa.Column("recorded_at", _MOMENT, nullable=False),
        sa.Column("closed_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_dead_letter"),
        sa.UniqueConstraint("letter_id", name="uq_dead_letter_letter_id"),
    )
    op.create_index("ix_dead_letter_status_id", "dead_letter", ["status", "id"])


def _create_limits() -> None:
    op.create_table(
        "concurrency_limit",
        sa.Column("tag", sa.Text, nullable=False),
        sa.Column("slots", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("tag", name="pk_concurrency_limit"),
    )
    op.create_table(
        "concurrency_slot",
        sa.Column("tag", sa.Text, nullable=False),
        sa.Column("task_run_id", sa.Uuid, nullable=False),
        sa.Column("taken_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tag", "task_run_id", name="pk_concurrency_slot"),
        sa.ForeignKeyConstraint(
            ["tag"],
            ["concurrency_limit.tag"],
            name="fk_concurrency_slot_tag",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["task_run_id"],
            ["run.id"],
            name="fk_concurrency_slot_task_run_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_concurrency_slot_task_run_id", "concurrency_slot", ["task_run_id"])
