"""Slots are held by the runs that were let run, and never by more of them than the limit says."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rules.states import StateType
from tests.chaos.checking.ledger import Ledger
from tests.chaos.checking.violations import Violation, ViolationKind
from tests.chaos.history import History

_KEEPS_SLOTS = frozenset({StateType.RUNNING, StateType.CANCELLING})


@dataclass(frozen=True, slots=True)
class _Step:
    """A state with which a task run takes the slots of its limited tags, or lets go of them."""

    at: datetime
    takes: bool
    version: int
    run_id: UUID
    subject: str


def check_slots(history: History, ledger: Ledger) -> Iterator[Violation]:
    """Play the accepted decisions in the order in which they were made, and compare the end.

    A slot is taken under the limit's lock, and the decision's time is read after it was had: the
    holders before it on record are those that had taken theirs by then. One that lets go is on
    record before it is committed, so that there may have been more holders than are counted here,
    never fewer: what is reported did happen. At the end the slots on record are just those of the
    holders that are left, and so no more than the limit either.
    """
    limits = history.rows.limits
    limited = {
        run.id: tags
        for run in history.rows.runs
        if (tags := [tag for tag in run.tags if tag in limits])
    }
    held: dict[str, set[UUID]] = defaultdict(set)
    for step in _steps(ledger, limited):
        for tag in limited[step.run_id]:
            holders = held[tag]
            if not step.takes:
                holders.discard(step.run_id)
            elif step.run_id not in holders:
                holders.add(step.run_id)
                if len(holders) > limits[tag]:
                    details = f"{tag}: {len(holders)} of {limits[tag]} at {step.at}"
                    yield Violation(ViolationKind.SLOT_OVER_LIMIT, step.subject, details)
    due = {(tag, run_id) for tag, holders in held.items() for run_id in holders}
    there = {(slot.tag, slot.task_run_id) for slot in history.rows.slots}
    states = {run.id: run.state_type for run in history.rows.runs}
    for kind, slots in (
        (ViolationKind.SLOT_LEAKED, there - due),
        (ViolationKind.SLOT_MISSING, due - there),
    ):
        for tag, run_id in sorted(slots):
            yield Violation(kind, f"{tag} {run_id}", f"the run is {states.get(run_id)}")


def _steps(ledger: Ledger, limited: Mapping[UUID, Sequence[str]]) -> Sequence[_Step]:
    """The steps in order.

    Of one run's at the very same moment only the last counts, and of all at that moment letting go
    comes first: that blames nobody wrongly.
    """
    steps: dict[tuple[datetime, UUID], _Step] = {}
    for ruled in ledger.decided.values():
        for index, change in enumerate(ruled.changes):
            if change.run_id not in limited:
                continue
            # Only the governed run goes through the rules; those along with it are forced.
            takes = index == 0 and ruled.secured and change.type is StateType.RUNNING
            if not takes and change.type in _KEEPS_SLOTS:
                continue
            at = ruled.record.decided_at
            step = _Step(at, takes, change.version, change.run_id, ruled.subject)
            known = steps.get((at, change.run_id), step)
            steps[at, change.run_id] = max(known, step, key=lambda one: one.version)
    return sorted(steps.values(), key=lambda step: (step.at, step.takes))
