"""States are what decisions wrote, no more and no less, and runs point at the last of theirs."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from consumer.wire.decisions import Verdict
from rules.states import StateType
from tests.chaos.checking.ledger import Change, Ledger, Ruled
from tests.chaos.checking.violations import Violation, ViolationKind
from tests.chaos.history import History, RunAtEnd, StateAtEnd

_REFUSALS = frozenset({Verdict.DELAY, Verdict.ABORT})


@dataclass(slots=True)
class _Line:
    """One run's states by version: those of decisions, each written or missing, and all there are.

    A missing state has its place too, so that one fault is not told by two names.
    """

    decided: list[int] = field(default_factory=list)
    states: dict[int, list[tuple[UUID | None, StateType | None]]] = field(default_factory=dict)

    def enter(self, version: int, state_id: UUID | None, type_: StateType | None) -> None:
        self.states.setdefault(version, []).append((state_id, type_))


def check_states(history: History, ledger: Ledger) -> Iterator[Violation]:
    """See that each decision's states were written, and each state by a decision."""
    written = {state.id: state for state in history.rows.states}
    lines: dict[UUID, _Line] = defaultdict(_Line)
    claimed: set[UUID] = set()
    for ruled in ledger.decided.values():
        if ruled.changes and ruled.record.decision in _REFUSALS:
            details = f"{ruled.record.decision} with {ruled.changes[0].type}"
            yield Violation(ViolationKind.STATE_OF_REFUSAL, ruled.subject, details)
        for change in ruled.changes:
            line = lines[change.run_id]
            line.decided.append(change.version)
            line.enter(change.version, change.state_id, change.type)
            state = None if change.state_id is None else written.get(change.state_id)
            if state is None:
                details = f"{change.type} {change.state_id}, version {change.version}"
                yield Violation(ViolationKind.STATE_MISSING, ruled.subject, details)
            else:
                claimed.add(state.id)
                yield from _check_same(ruled, change, state)
    for state in history.rows.states:
        if state.id not in claimed:
            lines[state.run_id].enter(state.version, state.id, state.type)
            details = f"{state.type} {state.id}, version {state.version}"
            yield Violation(ViolationKind.STATE_UNFOUNDED, str(state.run_id), details)
    yield from _check_versions(lines)
    yield from _check_runs({run.id: run for run in history.rows.runs}, lines, ledger)


def _check_same(ruled: Ruled, change: Change, state: StateAtEnd) -> Iterator[Violation]:
    told = (change.run_id, change.version, change.type, change.name)
    stands = (state.run_id, state.version, state.type, state.name)
    if told != stands:
        yield Violation(ViolationKind.STATE_DIFFERS, ruled.subject, f"{told}, stored: {stands}")


def _check_versions(lines: Mapping[UUID, _Line]) -> Iterator[Violation]:
    for run_id, line in lines.items():
        missing = sorted(set(range(1, max(line.states) + 1)) - line.states.keys())
        if missing:
            yield Violation(ViolationKind.VERSION_GAP, str(run_id), f"there is no {missing}")
        repeated = sorted(one for one, times in Counter(line.decided).items() if times > 1)
        if repeated:
            yield Violation(ViolationKind.VERSION_REPEATED, str(run_id), f"{repeated}")


def _check_runs(
    runs: Mapping[UUID, RunAtEnd], lines: Mapping[UUID, _Line], ledger: Ledger
) -> Iterator[Violation]:
    told = {run_id for ruled in ledger.decided.values() for run_id, _ in ruled.seen}
    for run_id in sorted((told | lines.keys()) - runs.keys()):
        yield Violation(ViolationKind.RUN_DIFFERS, str(run_id), "there is no such run")
    for run in runs.values():
        line = lines.get(run.id)
        version = 0 if line is None else max(line.states)
        last = [(None, None)] if line is None else line.states[version]
        if run.version != version or (run.state_id, run.state_type) not in last:
            details = (
                f"at version {run.version}, {run.state_type} {run.state_id};"
                f" its states end at version {version}"
            )
            yield Violation(ViolationKind.RUN_DIFFERS, str(run.id), details)
