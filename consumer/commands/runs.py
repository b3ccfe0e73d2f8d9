"""``pointsman runs``: what became of a run, and why."""

import asyncio
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any
from uuid import UUID

import click

from consumer.commands.output import Row, json_option, print_facts, print_line, print_rows
from consumer.commands.storage import opened_database
from consumer.errors import PointsmanError
from consumer.explaining.attempts import Attempt, Standing
from consumer.explaining.closing import closing_line
from consumer.explaining.rows import attempt_row, run_row
from consumer.explaining.story import Story, story_of
from consumer.explaining.wording import clock_time, moment, moment_from, times
from rules.moments import utc_now
from rules.runs import Run
from rules.states import State

_WHEN = "when (UTC)"
_COLUMNS = (_WHEN, "proposed", "decided")
_ALIKE_SHOWN = 3


class NoSuchRunError(PointsmanError):
    """Nothing is on record of a run."""

    def __init__(self, run_id: UUID) -> None:
        super().__init__(
            f"there is no run {run_id}, and no request on it was decided;"
            " see that the id is right and that 'pointsman consume' runs"
        )


@click.group(name="runs")
def command() -> None:
    """Look at runs."""


@command.command(name="show")
@click.argument("run_id", metavar="ID", type=click.UUID)
@json_option
def show_command(*, run_id: UUID, as_json: bool) -> None:
    """Tell what became of a run, and why it is where it is.

    First the run as it stands. Then each attempt of every request on it, in the order of the
    decisions: when, what was proposed, what was decided, by which rule, with which code and
    reason; of a delay, when it comes back. The last line says what the run waits for and until
    when, or why nothing goes on. A request that is still in its queue is not known yet. Of many
    attempts in a row that were delayed alike, the first and the last are shown.

    With --json one array of these attempts, empty where there is none. Each has all keys of the
    decision as it was published ("run" is the run after that decision), all null where it is not
    decided, and besides: proposed_type, user_id, forward and forwarded (what the broker is given
    for it, and whether it has confirmed), error_type and error, begun and failures (counted while
    it is not decided), standing (settled, waiting, overdue, came-back, returned, unfinished or
    dead-letter), dead_letters, and current_run: the run as it stands now, with the tags of which
    it holds a slot.
    """
    story = asyncio.run(_story(run_id))
    if as_json:
        current = run_row(story)
        print_rows([attempt_row(each, current) for each in story.attempts], (), as_json=True)
        return
    if story.run is not None:
        print_facts(f"{story.run.kind} run {run_id}", _facts(story, story.run))
        click.echo()
    if story.attempts:
        print_rows(list(_rows(story)), _COLUMNS, as_json=False)
        click.echo()
    print_line(closing_line(story))


async def _story(run_id: UUID) -> Story:
    async with opened_database() as database:
        story = await story_of(database, run_id, utc_now())
    if story.run is None and not story.attempts:
        raise NoSuchRunError(run_id)
    return story


def _facts(story: Story, run: Run) -> Mapping[str, Any]:
    state, policy = run.state, run.policy
    due = None if state is None else state.state_details.scheduled_time
    return {
        "name": run.name,
        "state": "none yet" if state is None else _named(state),
        "since": None if state is None else moment(state.timestamp),
        "brought by": None if story.is_state_its_own() else _bringer(state),
        "due": None if due is None else moment_from(due, story.now),
        "message": None if state is None else state.message,
        "version": run.version,
        "run count": run.run_count,
        "retries": policy.retries and f"{policy.retries}, each after {policy.retry_delay or 0:g} s",
        "tags": ", ".join(run.tags) or None,
        "slots held": ", ".join(limit.tag for limit in story.held_limits()) or None,
        "flow run": getattr(run, "flow_run_id", None),
        "deployment": getattr(run, "deployment_id", None),
        "parent": getattr(run, "parent_task_run_id", None),
    }


def _bringer(state: State | None) -> str:
    """Whose request wrote a state that no request on the run itself did."""
    subflow = None if state is None else state.state_details.child_flow_run_id
    return "a request on another run" if subflow is None else f"a request on flow run {subflow}"


def _rows(story: Story) -> Iterator[Row]:
    """A row for each attempt; of many alike, one after the other, only for the first and last."""
    for _, group in groupby(story.attempts, key=_likeness):
        alike = list(group)
        if len(alike) <= _ALIKE_SHOWN:
            yield from (_row(each, story) for each in alike)
        else:
            yield _row(alike[0], story)
            yield {_WHEN: "...", "proposed": "...", "decided": f"{len(alike) - 2} more like these"}
            yield _row(alike[-1], story)


def _likeness(attempt: Attempt) -> tuple[Any, ...]:
    record = attempt.record
    decided = None if record is None else (record.decision, record.code, record.rule)
    return attempt.request_id, decided


def _row(attempt: Attempt, story: Story) -> Row:
    proposed = attempt.proposed
    if proposed is None and attempt.record is not None:
        proposed_shown: str | None = "nothing"
    else:
        proposed_shown = proposed
    return {
        _WHEN: clock_time(attempt.at),
        "proposed": proposed_shown,
        "decided": tuple(_decided(attempt, story)),
    }


def _decided(attempt: Attempt, story: Story) -> Iterator[str]:
    body, record = attempt.body, attempt.record
    yield _headline(attempt)
    if body.get("state"):
        yield f"written: {body['state']['type']} ({body['state']['name']})"
    if body.get("reason"):
        yield body["reason"]
    if record is not None and record.error_type is not None:
        yield f"{record.error_type}: {record.error}"
    if then := _then(attempt, story):
        yield then
    for letter in attempt.letters:
        yield f"dead letter {letter.id}, {letter.status}, {letter.reason}"
    yield f"request {attempt.request_id}, attempt {attempt.attempt}"


def _headline(attempt: Attempt) -> str:
    if attempt.record is None:
        return "not decided"
    code, rule = attempt.record.code, attempt.record.rule
    by = f"by {rule}" if rule else None
    return ", ".join(each for each in (attempt.record.decision, code, by) if each)


def _then(attempt: Attempt, story: Story) -> str | None:
    """What comes of the attempt."""
    undecided, retry_at, standing = attempt.undecided, attempt.retry_at, attempt.standing
    if undecided is not None:
        return f"begun {times(undecided.begun)}, failed {times(undecided.failures)}"
    if standing is Standing.DEAD_LETTER and not attempt.letters:
        return "goes to the dead letters, and is not on record there yet"
    if retry_at is None:
        return None
    due = moment_from(retry_at, story.now)
    return {
        Standing.WAITING: f"comes back by itself at {due}",
        Standing.OVERDUE: f"was to come back at {due}, and has not been decided since",
        Standing.CAME_BACK: f"came back as attempt {attempt.attempt + 1}",
        Standing.RETURNED: f"left to its sender, to propose it again at {due}",
    }.get(standing)


def _named(state: State) -> str:
    return f"{state.type} ({state.name})"
