"""What ``pointsman propose`` tells; tests/integration has it with a broker and a consumer."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Self

import pytest
from pydantic_core import from_json

from consumer.commands import propose
from tests.consumer.commands.conftest import Invoke

DUE = "2026-01-01T12:00:00.000000Z"
NOTHING_KNOWN: dict[str, Any] = {
    "reason": None,
    "state": None,
    "run": None,
    "rule": None,
    "rules": [],
}
DELAY = NOTHING_KNOWN | {
    "decision": "delay",
    "code": "scheduled",
    "retry_at": DUE,
    "request_id": "one",
    "attempt": 1,
}
REUSED = NOTHING_KNOWN | {
    "decision": "abort",
    "code": "id-reused",
    "retry_at": None,
    "request_id": "one",
    "attempt": None,
}
ARGUMENTS = ("propose", "task", "new", "RUNNING")


class ScriptedClient:
    """Sends nothing, receives these decisions and then waits without end."""

    def __init__(self, decisions: Iterable[dict[str, Any]], *, interrupted: bool) -> None:
        self._decisions = iter(decisions)
        self._interrupted = interrupted

    @asynccontextmanager
    async def connected(self, url: str, name: str) -> AsyncIterator[Self]:
        del url, name
        yield self

    async def send(self, body: object, *, request_id: str | None, user_id: str | None) -> str:
        del body, request_id, user_id
        return "one"

    async def decision(self) -> dict[str, Any]:
        for decision in self._decisions:
            return decision
        if self._interrupted:
            signal.raise_signal(signal.SIGINT)
        await asyncio.Event().wait()
        raise AssertionError


@pytest.fixture
def receive(monkeypatch: pytest.MonkeyPatch) -> Any:
    def script(*decisions: dict[str, Any], interrupted: bool = False) -> None:
        client = ScriptedClient(decisions, interrupted=interrupted)
        monkeypatch.setattr(propose, "Client", client)
        monkeypatch.setattr(propose, "configure_logs", lambda *_: None)  # outlives the test

    return script


def test_what_is_followed_and_does_not_come_in_time_is_told(invoke: Invoke, receive: Any) -> None:
    receive(DELAY)
    result = invoke(*ARGUMENTS, "--follow", "--wait", "0.01", "--json")
    assert (result.exit_code, from_json(result.stdout)) == (1, [DELAY])
    [line] = result.stderr.splitlines()
    assert line == f"Error: no further decision within 0.01 s; it is due at {DUE}"


def test_a_delay_that_is_returned_has_nothing_to_follow(invoke: Invoke, receive: Any) -> None:
    receive(DELAY)
    result = invoke(*ARGUMENTS, "--follow", "--on-delay", "return")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("delay (scheduled)\n")


def test_a_decision_without_an_attempt_is_told_without_it(invoke: Invoke, receive: Any) -> None:
    receive(REUSED)
    result = invoke(*ARGUMENTS)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].split() == ["request", "one"]


@pytest.mark.parametrize("decisions", [(), (DELAY,)])
def test_ctrl_c_says_that_the_request_stays_in_its_queue(
    invoke: Invoke, receive: Any, decisions: tuple[dict[str, Any], ...]
) -> None:
    receive(*decisions, interrupted=True)
    result = invoke(*ARGUMENTS, "--follow")
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr == "not waited for: request one stays in its queue\n"
