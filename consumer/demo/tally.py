"""Every figure that the demo shows, counted from what was sent and received."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from uuid import UUID

from consumer.demo.journal import Entry, EntryKind, Sent
from consumer.demo.plans import Answer
from consumer.wire.decisions import RunSummary, Verdict


@dataclass(frozen=True, slots=True)
class Delay:
    """How long a request was to wait, and how long it was until it was decided again; seconds."""

    asked: float
    kept: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a showing comes to; ``median_seconds`` is from publishing a request to its decision."""

    sent: int
    decisions: int
    announcements: int
    duplicates: int
    letters: int
    answers: tuple[tuple[Answer, int], ...]
    ends: tuple[tuple[str, int], ...]
    median_seconds: float | None
    longest_delay: Delay | None


def count(sent: Sequence[Sent], entries: Sequence[Entry], letters: Sequence[str]) -> Figures:
    """Count; a decision counts once, however often it came."""
    kinds = Counter(entry.kind for entry in entries)
    answers = Counter(_answer(entry) for entry in entries if entry.kind is EntryKind.NEW)
    ends = Counter(run.state_name or "no state" for run in latest_runs(entries).values())
    return Figures(
        sent=len(sent),
        decisions=kinds[EntryKind.NEW],
        announcements=kinds[EntryKind.ALONG],
        duplicates=kinds[EntryKind.AGAIN],
        letters=len(letters),
        answers=tuple(sorted(answers.items(), key=_in_order)),
        ends=tuple(ends.most_common()),
        median_seconds=_median_seconds(entries),
        longest_delay=max(_delays(entries), key=lambda delay: delay.kept, default=None),
    )


def latest_runs(entries: Iterable[Entry]) -> dict[UUID, RunSummary]:
    """Each run as its newest decision shows it, in the order in which they were first heard of."""
    runs: dict[UUID, RunSummary] = {}
    for entry in entries:
        keep_latest(runs, entry)
    return runs


def keep_latest(runs: dict[UUID, RunSummary], entry: Entry) -> None:
    """Take over how the runs of one more entry stand, where it is not older than what is known."""
    for run in (entry.decision.run, *entry.decision.also_changed):
        if run is not None and (run.id not in runs or run.version >= runs[run.id].version):
            runs[run.id] = run


def most_at_once(entries: Iterable[Entry], run_ids: frozenset[UUID]) -> int:
    """How many of these runs were RUNNING at the same time, at most, by when it was decided."""
    most = 0
    running: set[UUID] = set()
    for entry in sorted(entries, key=lambda each: each.decision.decided_at):
        decision = entry.decision
        if entry.kind is not EntryKind.NEW or decision.state is None or decision.run is None:
            continue
        run_id = decision.run.id
        if run_id in run_ids and decision.state.is_running():
            running.add(run_id)
        else:
            running.discard(run_id)
        most = max(most, len(running))
    return most


def _answer(entry: Entry) -> Answer:
    return Answer(entry.decision.decision, entry.decision.code)


def _in_order(counted: tuple[Answer, int]) -> tuple[int, str]:
    (verdict, code), _ = counted
    return list(Verdict).index(verdict), code or ""


def _median_seconds(entries: Iterable[Entry]) -> float | None:
    waits = [
        entry.at - entry.sent.at
        for entry in entries
        if entry.kind is EntryKind.NEW and entry.decision.attempt == 0
    ]
    return median(waits) if waits else None


def _delays(entries: Iterable[Entry]) -> list[Delay]:
    """The delays after which the request came back by itself."""
    decided = {
        (entry.decision.request_id, entry.decision.attempt): entry.decision
        for entry in entries
        if entry.kind is EntryKind.NEW and entry.decision.attempt is not None
    }
    delays = []
    for (request_id, attempt), decision in decided.items():
        back = decided.get((request_id, (attempt or 0) + 1))
        if decision.delay_seconds is not None and back is not None:
            kept = (back.decided_at - decision.decided_at).total_seconds()
            delays.append(Delay(decision.delay_seconds, kept))
    return delays
