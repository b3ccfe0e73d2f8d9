from typing import Any

from pydantic_core import from_json, to_json

from consumer.explaining.rows import attempt_row, run_row
from consumer.wire.decisions import Verdict
from rules.runs import RunPolicy
from rules.states import Running
from tests.consumer.explaining.records import (
    decided,
    failing,
    letter,
    limit_of,
    no_slot,
    run_in,
    story,
)


def as_read(value: object) -> Any:
    return from_json(to_json(value))


def test_a_row_has_the_decision_with_every_key_as_it_was_published() -> None:
    run = run_in(None)
    record = no_slot(run, user_id="producer")
    [attempt] = story(run, record).attempts
    row = as_read(attempt_row(attempt, None))
    assert row.items() >= from_json(record.body).items()
    besides = {
        "proposed_type": "RUNNING",
        "user_id": "producer",
        "forward": "delay",
        "forwarded": True,
        "standing": "waiting",
        "dead_letters": [],
        "begun": None,
        "failures": None,
    }
    assert row.items() >= besides.items()


def test_a_row_of_what_is_not_decided_has_the_same_keys() -> None:
    run = run_in(None)
    known, unknown = story(run, no_slot(run), undecided=(failing("other"),)).attempts
    row = as_read(attempt_row(unknown, None))
    assert row.keys() == attempt_row(known, None).keys()
    assert (row["request_id"], row["attempt"], row["decision"]) == ("other", 0, None)
    assert (row["begun"], row["failures"], row["standing"]) == (0, 2, "unfinished")


def test_a_row_has_its_dead_letters() -> None:
    run = run_in(None)
    [attempt] = story(run, decided(run, Verdict.ABORT), letters=(letter(run),)).attempts
    [told] = as_read(attempt_row(attempt, None))["dead_letters"]
    assert (told["status"], told["reason"], told["error"]) == (
        "open",
        "rule-error",
        "division by zero",
    )


def test_the_run_is_told_with_its_description_and_the_slots_that_it_holds() -> None:
    run = run_in(Running(), name="extract", tags=("db", "eu"), policy=RunPolicy(retries=2))
    row = as_read(run_row(story(run, limits=(limit_of("db", 1, run), limit_of("eu", 1)))))
    expected = {
        "id": str(run.id),
        "kind": "task",
        "state_type": "RUNNING",
        "name": "extract",
        "tags": ["db", "eu"],
        "retries": 2,
        "deployment_id": None,
        "slots_held": ["db"],
    }
    assert row.items() >= expected.items()
