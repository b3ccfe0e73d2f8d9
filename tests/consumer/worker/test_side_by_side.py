"""Batches that are governed at the same time."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import ClassVar
from uuid import UUID

import pytest

from consumer.wire.requests import Reading
from persistence.session import Session
from rules.identifiers import uuid7
from tests.consumer.worker.governors import governing, migrated, reading, verdicts
from tests.consumer.worker.trouble import Troubled, policy_with


@pytest.fixture
def url(postgres_url: str) -> str:
    return migrated(postgres_url)


class WaitsForTheTest(Troubled):
    reached: ClassVar[asyncio.Event]
    goes_on: ClassVar[asyncio.Event]

    async def before_transition(self, *_: object) -> None:
        if self.is_due:
            self.reached.set()
            await self.goes_on.wait()


def waiting_for(run_id: UUID) -> type[WaitsForTheTest]:
    WaitsForTheTest.reached, WaitsForTheTest.goes_on = asyncio.Event(), asyncio.Event()
    WaitsForTheTest.run_id = run_id
    return WaitsForTheTest


def starting(run_id: UUID, request_id: str) -> Reading:
    body = {"run": {"kind": "task", "id": str(run_id)}, "create": {}, "state": {"type": "RUNNING"}}
    return reading(body, request_id)


async def test_one_goes_on_while_another_waits_in_the_middle_of_its_transaction(url: str) -> None:
    slow, quick = uuid7(), uuid7()
    rule = waiting_for(slow)
    async with governing(url, policy_with(rule, slow)) as bench:
        first = asyncio.create_task(bench.govern(starting(slow, "slow")))
        await rule.reached.wait()
        assert verdicts(await bench.govern(starting(quick, "quick"))) == ["accept"]
        assert not first.done()
        rule.goes_on.set()
        assert verdicts(await first) == ["accept"]


async def test_a_suspect_waits_until_it_is_alone_and_then_nothing_begins_beside_it(
    url: str,
) -> None:
    slow, suspect, later = uuid7(), uuid7(), uuid7()
    rule = waiting_for(slow)
    async with governing(url, policy_with(rule, slow)) as bench:
        first = asyncio.create_task(bench.govern(starting(slow, "slow")))
        await rule.reached.wait()
        alone = asyncio.create_task(bench.governor.govern_alone(starting(suspect, "suspect")))
        behind = asyncio.create_task(bench.govern(starting(later, "later")))
        await asyncio.wait({alone, behind}, timeout=0.2)
        assert not alone.done()
        assert not behind.done()
        rule.goes_on.set()
        ended = [await each for each in (first, alone, behind)]
    assert [verdicts(outcomes) for outcomes in ended] == [["accept"]] * 3


class HangsTheFirstTime(Troubled):
    hung: ClassVar[bool]

    async def after_transition(self, *_: object) -> None:
        if self.is_due and not type(self).hung:
            type(self).hung = True
            await asyncio.Event().wait()


@pytest.mark.parametrize(("in_company", "verdict"), [(True, "accept"), (False, None)])
async def test_what_was_not_alone_when_its_time_was_over_is_governed_once_more(
    url: str, *, in_company: bool, verdict: str | None
) -> None:
    slow = uuid7()
    HangsTheFirstTime.hung = False
    policy = policy_with(HangsTheFirstTime, slow)
    async with governing(url, policy, seconds=1) as bench, AsyncExitStack() as company:
        if in_company:
            await company.enter_async_context(bench.governor._solitude.together())  # noqa: SLF001
        assert verdicts(await bench.govern(starting(slow, "slow"))) == [verdict]


@contextmanager
def marks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Sequence[object]]]:
    """What each transaction marks as forwarded."""
    marked: list[Sequence[object]] = []

    def note(_: Session, keys: Sequence[object]) -> None:
        marked.append(keys)

    with monkeypatch.context() as patched:
        patched.setattr(Session, "mark_forwarded", note)
        yield marked


async def test_what_was_confirmed_is_marked_by_one_of_them_only(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = uuid7()
    rule = waiting_for(slow)
    async with governing(url, policy_with(rule, slow)) as bench:
        with marks(monkeypatch) as marked:
            bench.governor.confirm(frozenset({("a", 0)}))
            first = asyncio.create_task(bench.govern(starting(slow, "slow")))
            await rule.reached.wait()
            bench.governor.confirm(frozenset({("b", 0)}))
            await bench.govern(starting(uuid7(), "quick"))
            await bench.governor.mark_confirmed()
            rule.goes_on.set()
            await first
    assert marked == [[("a", 0)], [("b", 0)]]


async def test_what_a_failed_transaction_would_have_marked_the_next_one_marks(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = uuid7()
    rule = waiting_for(slow)
    async with governing(url, policy_with(rule, slow)) as bench:
        with marks(monkeypatch) as marked:
            bench.governor.confirm(frozenset({("a", 0)}))
            first = asyncio.create_task(bench.govern(starting(slow, "slow")))
            await rule.reached.wait()
            first.cancel()
            await asyncio.wait({first})
            await bench.governor.mark_confirmed()
            await bench.governor.mark_confirmed()
    assert marked == [[("a", 0)], [("a", 0)]]
