"""Attempts and runs with all that is known of them, for ``--json``."""

from collections.abc import Mapping
from typing import Any

from consumer.explaining.attempts import Attempt
from consumer.explaining.story import Story
from consumer.wire.decisions import Decision, RunSummary
from persistence.dead_letters.values import RecordedLetter

Row = Mapping[str, Any]

_DESCRIPTION = (
    "name",
    "tags",
    "bare",
    "flow_run_id",
    "task_key",
    "dynamic_key",
    "deployment_id",
    "parent_task_run_id",
)
_LETTER = ("id", "status", "reason", "error_type", "error", "attempts", "dead_at", "closed_at")


def run_row(story: Story) -> Row | None:
    """The run as it stands, with its description; None where there is none."""
    run = story.run
    if run is None:
        return None
    described = {name: getattr(run, name, None) for name in _DESCRIPTION}
    held = [limit.tag for limit in story.held_limits()]
    return (
        RunSummary.of(run).model_dump() | described | run.policy.model_dump() | {"slots_held": held}
    )


def attempt_row(attempt: Attempt, current_run: Row | None) -> Row:
    """The decision with every key that it was published with, and what else is on record of it."""
    record, undecided = attempt.record, attempt.undecided
    return {
        **{name: attempt.body.get(name) for name in Decision.model_fields},
        "request_id": attempt.request_id,
        "attempt": attempt.attempt,
        "proposed_type": attempt.proposed,
        "user_id": record.user_id if record else None,
        "forward": record.forward if record else None,
        "forwarded": record.forwarded if record else None,
        "error_type": record.error_type if record else None,
        "error": record.error if record else None,
        "begun": undecided.begun if undecided else None,
        "failures": undecided.failures if undecided else None,
        "standing": attempt.standing,
        "dead_letters": [_letter_row(letter) for letter in attempt.letters],
        "current_run": current_run,
    }


def _letter_row(letter: RecordedLetter) -> Row:
    return {name: getattr(letter, name) for name in _LETTER}
