from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from persistence.records import DecisionRecord, Forward
from rules.runs import RunKind
from rules.states import StateType
from tests.chaos.checking.ledger import Change, Ledger, Ruled
from tests.chaos.checking.slots import check_slots
from tests.chaos.checking.violations import ViolationKind
from tests.chaos.history import History, Rows, RunAtEnd, SlotAtEnd

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ONE, OTHER = UUID(int=1), UUID(int=2)


def became(
    run: UUID, version: int, type_: StateType, seconds: float = 0, *, forced: bool = False
) -> Ruled:
    """A decision that let a run become something, so many seconds after noon."""
    record = DecisionRecord(
        request_id=f"{run.int} {version}",
        attempt=0,
        run_id=run,
        run_kind=RunKind.TASK,
        body_sha256=b"",
        user_id=None,
        proposed_type=type_,
        decision="accept",
        code=None,
        rule=None,
        body=b"",
        decided_at=NOON + timedelta(seconds=seconds),
        retry_at=None,
        forward=Forward.NONE,
    )
    change = Change(run, version, UUID(int=run.int * 100 + version), type_, None)
    return Ruled(record, (change,), (), secured=not forced)


def found(steps: Sequence[Ruled], *holders: UUID) -> list[ViolationKind]:
    """What is wrong after these steps, if these runs hold the one slot in the end."""
    ledger = Ledger({}, (), {step.key: step for step in steps}, ())
    run = RunAtEnd(
        id=ONE, kind=RunKind.TASK, version=1, state_id=None, state_type=None, tags=("db", "free")
    )
    slots = [SlotAtEnd(tag="db", task_run_id=run) for run in holders]
    rows = Rows(runs=[run, replace(run, id=OTHER)], slots=slots, limits={"db": 1})
    history = History(sent=[], heard=[], rows=rows, queues={})
    return [violation.kind for violation in check_slots(history, ledger)]


def test_one_run_follows_another() -> None:
    steps = [
        became(OTHER, 1, StateType.RUNNING, 2),
        became(ONE, 1, StateType.RUNNING, 0),
        became(ONE, 2, StateType.COMPLETED, 1),
    ]
    assert found(steps, OTHER) == []


def test_two_at_a_time_are_one_too_many() -> None:
    steps = [became(ONE, 1, StateType.RUNNING), became(OTHER, 1, StateType.RUNNING, 1)]
    assert found(steps, ONE, OTHER) == [ViolationKind.SLOT_OVER_LIMIT]


def test_they_are_so_if_both_have_ended_long_since() -> None:
    steps = [
        became(ONE, 1, StateType.RUNNING, 0),
        became(OTHER, 1, StateType.RUNNING, 1),
        became(OTHER, 2, StateType.FAILED, 2),
        became(ONE, 2, StateType.COMPLETED, 3),
    ]
    assert found(steps) == [ViolationKind.SLOT_OVER_LIMIT]


def test_a_slot_may_pass_from_one_run_to_another_in_one_moment() -> None:
    steps = [
        became(OTHER, 1, StateType.RUNNING, 1),
        became(ONE, 1, StateType.RUNNING, 0),
        became(ONE, 2, StateType.COMPLETED, 1),
    ]
    assert found(steps, OTHER) == []


def test_a_run_may_begin_and_end_in_one_moment() -> None:
    assert found([became(ONE, 1, StateType.RUNNING), became(ONE, 2, StateType.COMPLETED)]) == []


def test_a_run_that_is_cancelling_keeps_its_slot() -> None:
    steps = [became(ONE, 1, StateType.RUNNING), became(ONE, 2, StateType.CANCELLING, 1)]
    assert found(steps, ONE) == []
    assert found(steps) == [ViolationKind.SLOT_MISSING]


def test_a_forced_run_takes_no_slot_and_keeps_the_one_it_has() -> None:
    forced = became(ONE, 1, StateType.RUNNING, forced=True)
    assert found([forced]) == []
    assert found([forced], ONE) == [ViolationKind.SLOT_LEAKED]
    again = became(ONE, 2, StateType.RUNNING, 1, forced=True)
    assert found([became(ONE, 1, StateType.RUNNING), again], ONE) == []


def test_a_run_that_takes_its_slot_again_has_one() -> None:
    steps = [
        became(ONE, 1, StateType.RUNNING, 0),
        became(ONE, 2, StateType.CANCELLING, 1),
        became(ONE, 3, StateType.RUNNING, 2),
    ]
    assert found(steps, ONE) == []


def test_a_slot_of_a_tag_without_a_limit_is_one_too_many() -> None:
    ledger = Ledger({}, (), {}, ())
    rows = Rows(slots=[SlotAtEnd(tag="free", task_run_id=ONE)])
    history = History(sent=[], heard=[], rows=rows, queues={})
    [violation] = check_slots(history, ledger)
    assert (violation.kind, violation.subject) == (ViolationKind.SLOT_LEAKED, f"free {ONE}")
