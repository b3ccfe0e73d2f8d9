"""The tables: the one description of the schema, which the migrations follow."""

from persistence.schema.base import Base, table_of
from persistence.schema.cached_states import CachedStateRow
from persistence.schema.dead_letters import DeadLetterRow, LetterStatus
from persistence.schema.decisions import BegunRow, DecisionRow
from persistence.schema.limits import ConcurrencyLimitRow, ConcurrencySlotRow
from persistence.schema.runs import ArtifactRow, RunRow, RunStateRow
from persistence.schema.topology import TopologyRow

__all__ = [
    "ArtifactRow",
    "Base",
    "BegunRow",
    "CachedStateRow",
    "ConcurrencyLimitRow",
    "ConcurrencySlotRow",
    "DeadLetterRow",
    "DecisionRow",
    "LetterStatus",
    "RunRow",
    "RunStateRow",
    "TopologyRow",
    "table_of",
]
