"""States that are missing, doubled or otherwise than decided."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from uuid import uuid4

from consumer.wire.decisions import Decision, Verdict
from persistence.records import DecisionRecord
from rules.states import StateType
from tests.chaos.checking.planting.planted import (
    Plant,
    Planted,
    all_but,
    exchanged,
    one_of,
    planted,
    retold,
    ruled,
    senders,
    subject,
    with_decision,
    with_retold,
    with_rows,
    without_decision,
)
from tests.chaos.checking.violations import ViolationKind
from tests.chaos.history import History, RunAtEnd, StateAtEnd


def _decision_of(history: History, state: StateAtEnd) -> DecisionRecord:
    [record] = [
        each.record
        for each in ruled(history)
        for change in each.changes
        if change.state_id == state.id
    ]
    return record


def a_state_is_missing(history: History, rng: Random) -> Planted:
    state = one_of(rng, history.rows.states)
    named = (ViolationKind.STATE_MISSING, subject(_decision_of(history, state)))
    return planted(with_rows(history, states=all_but(history.rows.states, state)), named)


def a_state_is_written_twice(history: History, rng: Random) -> Planted:
    run = one_of(rng, [run for run in history.rows.runs if run.version > 0])
    [last] = [each for each in history.rows.states if each.id == run.state_id]
    again = replace(last, id=uuid4(), version=last.version + 1)
    moved = replace(run, version=again.version, state_id=again.id)
    twice = with_rows(
        history,
        states=[*history.rows.states, again],
        runs=exchanged(history.rows.runs, run, moved),
    )
    return planted(twice, (ViolationKind.STATE_UNFOUNDED, str(run.id)))


def a_state_is_another_than_decided(history: History, rng: Random) -> Planted:
    state = one_of(rng, history.rows.states)
    other = replace(state, type=StateType.PAUSED, name="Paused for no reason")
    named = (ViolationKind.STATE_DIFFERS, subject(_decision_of(history, state)))
    return planted(with_rows(history, states=exchanged(history.rows.states, state, other)), named)


def a_refusal_writes_a_state(history: History, rng: Random) -> Planted:
    writing = [
        each
        for each in ruled(history)
        if each.changes and not each.secured and len(senders(history, each.record)) == 1
    ]
    record = one_of(rng, writing).record
    refused = retold(record, decision=Verdict.ABORT, code="redundant")
    [sender] = senders(history, record)
    told = with_decision(without_decision(history, record), refused, sender)
    return planted(told, (ViolationKind.STATE_OF_REFUSAL, subject(record)))


def a_version_is_left_out(history: History, rng: Random) -> Planted:
    run, told = _with_last_version(history, rng, 1)
    return planted(told, (ViolationKind.VERSION_GAP, str(run.id)))


def a_version_is_given_twice(history: History, rng: Random) -> Planted:
    run, told = _with_last_version(history, rng, -1)
    return planted(told, (ViolationKind.VERSION_REPEATED, str(run.id)))


def _with_last_version(history: History, rng: Random, added: int) -> tuple[RunAtEnd, History]:
    """A run whose last state has another version, for all who tell it."""
    views = Counter(view for each in ruled(history) for view in each.seen)
    runs = [run for run in history.rows.runs if run.version > 1 and views[run.id, run.version] == 1]
    states = {state.id: state for state in history.rows.states}
    own = [
        (run, states[run.state_id], record)
        for run in runs
        if run.state_id is not None
        and (record := _decision_of(history, states[run.state_id])).run_id == run.id
    ]
    run, state, record = one_of(rng, own)
    version = run.version + added
    summary = Decision.model_validate_json(record.body).run
    assert summary is not None
    told = with_rows(
        history,
        runs=exchanged(history.rows.runs, run, replace(run, version=version)),
        states=exchanged(history.rows.states, state, replace(state, version=version)),
    )
    new = retold(record, run=summary.model_copy(update={"version": version}))
    return run, with_retold(told, record, new)


def a_later_decision_shows_an_older_run(history: History, rng: Random) -> Planted:
    late = [
        each.record
        for each in ruled(history)
        if not each.changes and any(version > 0 for _, version in each.seen)
    ]
    record = one_of(rng, late)
    run = Decision.model_validate_json(record.body).run
    assert run is not None
    older = retold(record, run=run.model_copy(update={"version": run.version - 1}))
    named = (ViolationKind.VERSION_BACKWARDS, subject(record))
    return planted(with_retold(history, record, older), named)


def a_run_points_at_an_old_state(history: History, rng: Random) -> Planted:
    run = one_of(rng, [run for run in history.rows.runs if run.version > 1])
    [before] = [
        state
        for state in history.rows.states
        if (state.run_id, state.version) == (run.id, run.version - 1)
    ]
    old = replace(run, version=before.version, state_id=before.id, state_type=before.type)
    named = (ViolationKind.RUN_DIFFERS, str(run.id))
    return planted(with_rows(history, runs=exchanged(history.rows.runs, run, old)), named)


def a_run_is_gone(history: History, rng: Random) -> Planted:
    limited = set(history.rows.limits)
    run = one_of(rng, [each for each in history.rows.runs if not limited & set(each.tags)])
    named = (ViolationKind.RUN_DIFFERS, str(run.id))
    return planted(with_rows(history, runs=all_but(history.rows.runs, run)), named)


PLANTS: Sequence[Plant] = (
    a_state_is_missing,
    a_state_is_written_twice,
    a_state_is_another_than_decided,
    a_refusal_writes_a_state,
    a_version_is_left_out,
    a_version_is_given_twice,
    a_later_decision_shows_an_older_run,
    a_run_points_at_an_old_state,
    a_run_is_gone,
)
