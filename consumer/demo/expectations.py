"""Whether a showing ended as its story does."""

from collections.abc import Iterator, Sequence

from consumer.demo.journal import Entry, EntryKind, Journal
from consumer.demo.plans import Answer, Story
from consumer.demo.roster import Roster
from consumer.demo.tally import latest_runs, most_at_once
from consumer.wire.names import Code


def disappointments(story: Story, roster: Roster, journal: Journal) -> Iterator[str]:
    """One sentence for each thing that went otherwise, going by the decisions alone."""
    yield from journal.faults
    yield from _wrong_ends(story, roster, journal.entries)
    yield from _unseen_answers(story, journal.entries)
    yield from _overfilled_limits(story, roster, journal.entries)
    repeats = sum(entry.kind is EntryKind.AGAIN for entry in journal.entries)
    if repeats < story.repeats:
        yield f"{repeats} decisions came more than once, not {story.repeats}"
    if Code.INVALID not in journal.letters:
        yield "the unreadable message did not become a dead letter"


def _wrong_ends(story: Story, roster: Roster, entries: Sequence[Entry]) -> Iterator[str]:
    runs = latest_runs(entries)
    for name, ends_as in story.ends():
        run = runs.get(roster.id_of(name))
        ended_as = run.state_name if run else None
        if ended_as != ends_as:
            yield f"the run {name} ended as {ended_as or 'nothing'}, not as {ends_as}"


def _unseen_answers(story: Story, entries: Sequence[Entry]) -> Iterator[str]:
    seen = {Answer(entry.decision.decision, entry.decision.code) for entry in entries}
    for answer in sorted(story.answers - seen, key=str):
        yield f"nothing was decided as {answer}"


def _overfilled_limits(story: Story, roster: Roster, entries: Sequence[Entry]) -> Iterator[str]:
    for tag, limit in story.limits.items():
        tagged = frozenset(roster.id_of(name) for name, plan in story.tasks() if tag in plan.tags)
        most = most_at_once(entries, tagged)
        if most > limit:
            yield f"{most} runs with the tag {tag} ran at the same time, not at most {limit}"
