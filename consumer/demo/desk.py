"""The desk at which producers and workers hand in requests and wait for the decisions."""

import asyncio
from collections.abc import Mapping
from typing import Any, NoReturn

from consumer.client import Client
from consumer.demo.errors import DemoError
from consumer.demo.journal import Journal
from consumer.wire.body import OnDelay
from consumer.wire.decisions import Decision, Verdict
from rules.identifiers import uuid7

_ANSWER_SECONDS = 20.0
_NOTHING = "-"


class Desk:
    """Sends requests for many at once, and gives each the decisions on its own."""

    def __init__(self, client: Client, journal: Journal) -> None:
        self._client = client
        self._journal = journal
        self._inboxes: dict[str | None, asyncio.Queue[Decision]] = {}

    async def ask(
        self, run: str, body: Mapping[str, Any], request_id: str | None = None
    ) -> list[Decision]:
        """Send a request for the run and wait for what is decided, until that is no delay.

        A delay that the sender wants returned is the last word, too.

        Raises:
            DemoError: there is no decision within the time limit.
        """
        request_id = request_id or str(uuid7())
        inbox = self._inboxes.setdefault(request_id, asyncio.Queue())
        self._journal.send(request_id, run, _proposed(body))
        await self._client.send(body, request_id=request_id)
        decisions: list[Decision] = []
        while not decisions or (_is_delay(decisions[-1]) and _waits(body)):
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    decisions.append(await inbox.get())
            except TimeoutError:
                raise DemoError(
                    f"no decision on {_proposed(body)} for {run} within {_ANSWER_SECONDS:g} s"
                ) from None
        return decisions

    async def serve(self) -> NoReturn:
        """Hand out the decisions as they come in, without end."""
        while True:
            decision = Decision.model_validate(await self._client.decision())
            self._journal.reply(decision)
            self._inboxes[decision.request_id].put_nowait(decision)


def _is_delay(decision: Decision) -> bool:
    return decision.decision is Verdict.DELAY


def _waits(body: Mapping[str, Any]) -> bool:
    return body.get("on_delay") != OnDelay.RETURN


def _proposed(body: Mapping[str, Any]) -> str:
    state = body.get("state")
    return str(state["name"] or state["type"]) if state else _NOTHING
