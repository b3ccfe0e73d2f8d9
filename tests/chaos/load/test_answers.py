import asyncio
from typing import Any

from pydantic_core import to_json

from tests.chaos.chance import generator
from tests.chaos.history import EVERYTHING, Heard
from tests.chaos.load.answers import Answers
from tests.chaos.load.items import Item


def heard(**decision: Any) -> Heard:
    body = {"request_id": "r", "attempt": 0, "decision": "accept"} | decision
    return Heard(
        subscription=EVERYTHING,
        routing_key="",
        message_id="",
        correlation_id=None,
        body=to_json(body),
        at=0,
    )


def item(request_id: str = "r") -> Item:
    return Item(routing_key="", body=b"", request_id=request_id)


async def test_who_waits_for_the_last_decision_is_told_no_delay_and_nothing_twice() -> None:
    answers = Answers(generator(1))
    thread = answers.expect(item(), print)
    answers.note(heard(decision="delay"))
    answers.note(heard(decision="delay"))
    answers.note(heard(decision="reject", attempt=1))
    assert (await thread.last())["decision"] == "reject"


async def test_a_request_is_answered_by_any_attempt_but_not_by_a_refused_reuse_of_its_id() -> None:
    answers = Answers(generator(1))
    answers.expect(item(), print)
    answers.note(heard(attempt=None, code="id-reused"))
    assert answers.unanswered == ["r"]
    answers.note(heard(attempt=2))
    assert answers.unanswered == []


async def test_first_answers_are_counted_and_repeats_are_not() -> None:
    answers = Answers(generator(1))
    for name in ("r", "s"):
        answers.expect(item(name), print)
    answers.note(heard())
    two_more = asyncio.ensure_future(answers.more(1))
    await asyncio.sleep(0)
    answers.note(heard())
    assert not two_more.done()
    answers.note(heard(request_id="s"))
    await two_more


async def test_equal_bodies_are_kept_once() -> None:
    answers = Answers(generator(1))
    answers.note(heard())
    answers.note(heard())
    assert answers.heard[0].body is answers.heard[1].body
