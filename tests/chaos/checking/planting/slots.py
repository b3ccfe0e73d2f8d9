"""Slots that are leaked, missing, or too many."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random
from uuid import UUID, uuid4

from consumer.wire.decisions import Decision
from persistence.records import DecisionRecord
from tests.chaos.checking.planting.planted import (
    Plant,
    Planted,
    all_but,
    one_of,
    planted,
    retold,
    ruled,
    senders,
    with_decision,
    with_rows,
)
from tests.chaos.checking.violations import ViolationKind
from tests.chaos.history import History, RunAtEnd, SlotAtEnd, StateAtEnd


def a_slot_is_leaked(history: History, rng: Random) -> Planted:
    held = set(history.rows.slots)
    free = [
        slot
        for run in history.rows.runs
        for tag in run.tags
        if tag in history.rows.limits
        and (slot := SlotAtEnd(tag=tag, task_run_id=run.id)) not in held
    ]
    slot = one_of(rng, free)
    leaked = with_rows(history, slots=[*history.rows.slots, slot])
    return planted(leaked, (ViolationKind.SLOT_LEAKED, f"{slot.tag} {slot.task_run_id}"))


def a_slot_is_missing(history: History, rng: Random) -> Planted:
    slot = one_of(rng, history.rows.slots)
    missing = with_rows(history, slots=all_but(history.rows.slots, slot))
    return planted(missing, (ViolationKind.SLOT_MISSING, f"{slot.tag} {slot.task_run_id}"))


def a_slot_is_taken_beyond_the_limit(history: History, rng: Random) -> Planted:
    tag = one_of(rng, [tag for tag, limit in history.rows.limits.items() if limit])
    holders = sum(slot.tag == tag for slot in history.rows.slots)
    name = ""
    for number in range(history.rows.limits[tag] - holders + 1):
        name = f"beyond-{number}"
        history = _with_holder(history, rng, tag, name)
    return planted(history, (ViolationKind.SLOT_OVER_LIMIT, f"{name}/0"))


def _with_holder(history: History, rng: Random, tag: str, name: str) -> History:
    """The history with one run more, let run by the rules in the end and holding its slot."""
    model = one_of(rng, [each for each in ruled(history) if each.secured]).record
    run_id, body = uuid4(), name.encode()
    sender = replace(
        senders(history, model)[0],
        request_id=name,
        run_id=run_id,
        body=body,
        position=len(history.sent),
    )
    last = max(record.decided_at for record in history.rows.decisions)
    record = replace(
        _let_run(model, name, run_id, last + timedelta(seconds=1)),
        body_sha256=sha256(body).digest(),
    )
    return with_decision(
        replace(_with_run(history, record, tag), sent=[*history.sent, sender]), record, sender
    )


def _let_run(model: DecisionRecord, name: str, run_id: UUID, at: datetime) -> DecisionRecord:
    """A decision like another one that let a run run, about one that has just been made."""
    told = Decision.model_validate_json(model.body)
    assert told.run is not None
    assert told.state is not None
    state = told.state.model_copy(update={"id": uuid4()})
    run = told.run.model_copy(update={"id": run_id, "version": 1, "state_id": state.id})
    record = retold(model, request_id=name, attempt=0, run=run, state=state, decided_at=at)
    return replace(record, run_id=run_id)


def _with_run(history: History, record: DecisionRecord, tag: str) -> History:
    """The history with what a decision that let a run run has written."""
    told = Decision.model_validate_json(record.body)
    assert told.run is not None
    assert told.state is not None
    state = StateAtEnd(
        id=told.state.id,
        run_id=told.run.id,
        version=1,
        type=told.state.type,
        name=told.state.name,
    )
    run = RunAtEnd(
        id=told.run.id,
        kind=told.run.kind,
        version=1,
        state_id=told.state.id,
        state_type=told.state.type,
        tags=(tag,),
    )
    rows = history.rows
    return with_rows(
        history,
        runs=[*rows.runs, run],
        states=[*rows.states, state],
        slots=[*rows.slots, SlotAtEnd(tag=tag, task_run_id=run.id)],
    )


PLANTS: Sequence[Plant] = (
    a_slot_is_leaked,
    a_slot_is_missing,
    a_slot_is_taken_beyond_the_limit,
)
