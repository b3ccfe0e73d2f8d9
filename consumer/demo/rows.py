"""What is shown of a decision: one row."""

from dataclasses import dataclass

from pydantic_core import to_json

from consumer.demo.journal import Entry, EntryKind
from consumer.wire.decisions import Verdict
from rules.states import State, StateType


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A decision in words; ``written`` names the state that was written, ``state`` is its type."""

    at: float
    kind: EntryKind
    run: str
    proposed: str
    verdict: Verdict
    written: str
    state: StateType | None
    code: str
    remark: str


def row(entry: Entry) -> Row:
    """What is to be shown of the entry."""
    decision = entry.decision
    written, state = _written(entry)
    return Row(
        at=entry.at,
        kind=entry.kind,
        run=entry.run,
        proposed="" if entry.kind is EntryKind.ALONG else entry.sent.proposed,
        verdict=decision.decision,
        written=written,
        state=state,
        code=decision.code or "",
        remark=_remark(entry),
    )


def _written(entry: Entry) -> tuple[str, StateType | None]:
    """The state that the run of this row was given, if one was."""
    state = entry.decision.state
    if state is None:
        return "", None
    return state.name, state.type


def _remark(entry: Entry) -> str:
    if entry.kind is EntryKind.AGAIN:
        return "received once more, with the same bytes"
    if entry.kind is EntryKind.ALONG:
        return f"moved along by {entry.sent.run}"
    if entry.decision.reason is not None:
        return entry.decision.reason
    if entry.decision.attempt:
        return "came back by itself"
    return _what_the_state_says(entry.decision.state)


def _what_the_state_says(state: State | None) -> str:
    if state is not None and state.data is not None:
        return f"result {to_json(state.data).decode()}"
    return (state and state.message) or ""
