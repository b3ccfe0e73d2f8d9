"""Which decisions are wanted: as far as routing keys tell it, the broker leaves out the others."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any
from uuid import UUID

NO_CODE = "none"

_ANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionFilter:
    """Decisions that have one of each of these; none of a sort leaves that open."""

    kinds: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    run_ids: tuple[UUID, ...] = ()

    def binding_keys(self) -> Iterator[str]:
        """What to bind a queue with, as narrow as the routing keys of decisions allow."""
        runs = tuple(str(run_id) for run_id in self.run_ids)
        parts = (self.kinds, self.decisions, (), runs)
        for key in product(*(dict.fromkeys(part) or (_ANY,) for part in parts)):
            yield ".".join(key)

    def takes(self, decision: Mapping[str, Any]) -> bool:
        """Whether a decision is wanted that came by one of these keys: its code isn't in them."""
        return not self.codes or (decision.get("code") or NO_CODE) in self.codes
