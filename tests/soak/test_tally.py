from pydantic_core import to_json

from consumer.broker.messages import Delivery, Properties
from consumer.wire.decisions import Verdict
from rules.runs import RunKind
from tests.soak.population import Turn
from tests.soak.steps import Candidate, Step, Story
from tests.soak.tally import Tally

RUN = Candidate.new(RunKind.TASK)


def sent(tally: Tally, *expected: Verdict, **rest: str) -> Step:
    step = RUN.step("RUNNING", *expected, **rest)
    tally.send(Turn(_story(step), step), now=10)
    return step


def _story(step: Step) -> Story:
    yield step


def announced(step: Step, decision: str, about: object = RUN.id) -> Delivery:
    body = {"decision": decision, "code": None, "run": {"id": str(RUN.id)}}
    return Delivery(
        body=to_json(body),
        properties=Properties(correlation_id=step.key),
        exchange="pointsman.decisions",
        routing_key=f"task.{decision}.running.{about}",
        redelivered=False,
        tag=1,
    )


def test_a_confirmed_request_is_missing_until_it_is_decided() -> None:
    tally = Tally()
    step = sent(tally)
    assert tally.missing == []
    tally.confirm(step.key)
    assert tally.missing == [step.key]
    ended = tally.hear(announced(step, "accept"), now=12)
    assert ended is not None
    assert ended[0].step is step
    assert tally.missing == []
    assert tally.take_waits() == [2]


def test_a_decision_may_come_before_the_confirm() -> None:
    tally = Tally()
    step = sent(tally)
    tally.hear(announced(step, "accept"), now=11)
    tally.confirm(step.key)
    assert tally.missing == []
    assert tally.confirmed == 1


def test_a_repeat_that_is_confirmed_counts_once() -> None:
    tally = Tally()
    step = sent(tally)
    tally.confirm(step.key)
    tally.confirm(step.key)
    assert tally.confirmed == 1


def test_a_delay_does_not_end_a_request_that_comes_back_by_itself() -> None:
    tally = Tally()
    step = sent(tally)
    assert tally.hear(announced(step, "delay"), now=11) is None
    assert tally.pending == 1
    assert tally.hear(announced(step, "accept"), now=19) is not None
    assert tally.take_waits() == [1]
    assert tally.surprises == {}


def test_a_delay_ends_a_request_that_is_returned() -> None:
    tally = Tally()
    step = sent(tally, Verdict.DELAY, Verdict.ACCEPT, on_delay="return")
    assert tally.hear(announced(step, "delay"), now=11) is not None


def test_a_decision_heard_again_ends_nothing_twice() -> None:
    tally = Tally()
    step = sent(tally)
    tally.hear(announced(step, "accept"), now=11)
    assert tally.hear(announced(step, "accept"), now=12) is None
    assert (tally.decided, tally.repeated) == (1, 1)


def test_a_decision_other_than_was_due_is_told() -> None:
    tally = Tally()
    step = sent(tally)
    tally.hear(announced(step, "abort"), now=11)
    assert tally.surprises == {"abort None where accept was due": 1}


def test_an_announcement_about_a_run_that_changed_along_is_nobodys_decision() -> None:
    tally = Tally()
    step = sent(tally)
    assert tally.hear(announced(step, "accept", about="another"), now=11) is None
    assert (tally.pending, tally.repeated) == (1, 0)
