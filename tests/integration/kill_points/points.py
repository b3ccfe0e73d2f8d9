"""The places at which a consumer may be killed: one or more at every step that a message takes."""

import asyncio
import os
import signal
from asyncio import StreamWriter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from asyncpg.transaction import Transaction

from consumer.broker.confirms import Wave
from consumer.broker.connection import BrokerConnection
from consumer.broker.intake import Intake
from consumer.broker.messages import Delivery
from consumer.dead_letters.filling import Filling
from consumer.topology.names import DECISIONS
from consumer.wire.reading import RequestReader
from consumer.worker import consumer as connecting
from consumer.worker.deciding import Decider
from consumer.worker.governing import Governor
from consumer.worker.lookout import Lookout
from consumer.worker.publishing import OutcomePublisher
from consumer.worker.setbacks import Setbacks
from persistence.session import Session
from tests.integration.kill_points.seams import (
    Arm,
    Passing,
    after,
    before,
    held_until,
    once_then,
    replace,
    while_in,
)

_PUBLISH = b"\x00\x3c\x00\x28"
_ACK = b"\x00\x3c\x00\x50"


def _requests(batch: Sequence[Delivery], *_: Any) -> bool:
    return bool(batch) and batch[0].partition is not None


def _letters(batch: Sequence[Delivery], *_: Any) -> bool:
    return batch[0].partition is None


def _of(holds: Callable[[Sequence[Delivery]], bool]) -> Callable[..., bool]:
    """Of what is settled: the arguments are the intake and the deliveries."""
    return lambda *called: holds(called[-1])


def _something(*called: Any) -> bool:
    return bool(called[-1])


def _method(payload: bytes) -> bytes:
    return payload[7:11]


def _exchange(payload: bytes) -> str:
    return payload[14 : 14 + payload[13]].decode()


def _is_decision(payload: bytes) -> bool:
    return _method(payload) == _PUBLISH and _exchange(payload) in ("", DECISIONS)


def _is_forward(payload: bytes) -> bool:
    # What is published without a body is the question whether the broker lets us publish.
    return _method(payload) == _PUBLISH and not _is_decision(payload) and b"{" in payload


def _acknowledges(*called: Any) -> bool:
    return _method(called[-1]) == _ACK


def _torn(is_meant: Callable[[bytes], bool]) -> Arm:
    """The place where the broker has only half of what is published."""

    def arm(passing: Passing) -> None:
        def around(original: Callable[..., Any]) -> Callable[..., Any]:
            def write(writer: StreamWriter, data: bytes) -> None:
                if not is_meant(data):
                    original(writer, data)
                    return
                half = len(data) // 2
                original(writer, data[:half])
                passing()
                original(writer, data[half:])

            return write

        replace(StreamWriter, "write", around)

    return arm


def _commit_sent(passing: Passing) -> None:
    """The place where the database was told to commit and has not answered."""

    def around(original: Callable[..., Any]) -> Callable[..., Any]:
        async def commit(transaction: Transaction) -> None:
            committing = asyncio.ensure_future(original(transaction))
            await asyncio.sleep(0)  # until it waits for the answer
            passing()
            await committing

        return commit

    replace(Transaction, "commit", around)


def _tell_to_stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


_BATCH_TAKEN = after(Intake, "take", _requests)
_while_stopping = partial(once_then, _BATCH_TAKEN, _tell_to_stop)
_while_forwarding = partial(while_in, OutcomePublisher, "_publish_forwards")
_while_deciding = partial(while_in, OutcomePublisher, "_publish_decisions")

POINTS: Mapping[str, Arm] = {
    "connecting": before(connecting, "connect"),
    "declared": after(connecting, "declare"),
    "allowed-to-publish": after(Lookout, "until_published"),
    "subscribed": after(Intake, "_subscribe"),
    "batch-taken": _BATCH_TAKEN,
    "message-read": after(RequestReader, "read"),
    "begun-counted": after(Setbacks, "count_begun"),
    "suspect-counted": after(Setbacks, "is_condemned"),
    "runs-locked": after(Session, "open"),
    "state-written": after(Session, "write_state"),
    "decision-recorded": after(Session, "record"),
    "message-decided": after(Decider, "decide"),
    "batch-written": after(Session, "finish"),
    "commit-sent": while_in(Governor, "govern", _commit_sent),
    "batch-committed": after(Governor, "_transact"),
    "failure-counted": after(Setbacks, "count_failure"),
    "message-condemned": after(Setbacks, "condemn"),
    "message-sent-home": after(Governor, "send_home"),
    "forwards-torn": _torn(_is_forward),
    "forwards-unanswered": _while_forwarding(before(Wave, "answered")),
    "forwards-confirmed": after(OutcomePublisher, "_publish_forwards", _something),
    "decisions-torn": _torn(_is_decision),
    "decisions-unanswered": _while_deciding(before(Wave, "answered")),
    "decisions-confirmed": after(OutcomePublisher, "_publish_decisions", _something),
    "forwards-noted": after(Governor, "confirm", _something),
    "forwards-marked": after(Session, "mark_forwarded", _something),
    "idle-marked": after(Governor, "mark_confirmed"),
    "settling": before(Intake, "settle", _of(_requests)),
    "settled": after(Intake, "settle", _of(_requests)),
    "ack-sent": after(StreamWriter, "write", _acknowledges),
    "letters-taken": after(Intake, "next_batch", _letters),
    "letters-written": held_until(
        # Until then the message would come again anyway, and with it its letter.
        after(Intake, "settle", _of(_requests)),
        Filling,
        "record",
        while_in(Filling, "_judge", after(Session, "finish")),
    ),
    "letters-recorded": before(Intake, "settle", _of(_letters)),
    "letters-settled": after(Intake, "settle", _of(_letters)),
    "stopping-settled": _while_stopping(after(Intake, "settle", _of(_requests))),
    "stopping-marked": _while_stopping(after(Governor, "mark_confirmed")),
    "stopping-intake-closing": _while_stopping(before(Intake, "close")),
    "stopping-intake-closed": _while_stopping(after(Intake, "close")),
    "stopping-taking-leave": _while_stopping(before(BrokerConnection, "close")),
}
"""Each by its name; the order is that of a message's way."""
