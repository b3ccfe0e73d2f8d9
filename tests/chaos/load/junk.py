"""Messages that are no requests."""

import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random
from uuid import UUID, uuid4

from pydantic_core import to_json

from consumer.broker.connection import connect
from consumer.broker.errors import BrokerError
from consumer.topology.names import REQUESTS
from rules.runs import RunKind
from tests.chaos.load.desk import Office
from tests.chaos.load.items import Item, Outbox
from tests.consumer.broker.raw_publishing import RawMessage, publish_raw
from tests.integration.world import proposal

MAX_BODY_BYTES = 65_536
"""The consumers' setting in a trial."""

_TIMESTAMP = 1 << 6
_MICROSECONDS = struct.pack(">Q", 1_700_000_000_000_000)


def _a_request(**rest: object) -> bytes:
    return to_json(proposal("RUNNING", uuid4()) | rest)


_BODIES: Sequence[Callable[[], bytes]] = (
    lambda: b"",
    lambda: b"{",
    lambda: b"[]",
    lambda: b'{"run": {}}',
    lambda: b"\xc3\x28",
    lambda: b"[" * 2_000,
    lambda: _a_request(unknown=1),
    lambda: _a_request(create={"name": "a\0b"}),
    lambda: _a_request(deadline="tomorrow"),
    lambda: _a_request(parameters={"long": "x" * MAX_BODY_BYTES}),
)


def junk(office: Office, rng: Random) -> None:
    """Send what can't be read, under a request id."""
    office.desk(rng, RunKind.TASK).send_raw(rng.choice(_BODIES)())


async def nameless(url: str, outbox: Outbox, rng: Random) -> None:
    """Publish what no client library would: without an id, or with properties that break readers.

    Whether it arrives is not known: there are no confirms on the way it takes.
    """
    body = to_json({"nobody": str(UUID(int=rng.getrandbits(128)))})
    key = f"{rng.randrange(256):02x}".encode()
    flags, fields = rng.choice(((0, b""), (_TIMESTAMP, _MICROSECONDS)))
    item = Item(routing_key=key.decode(), body=body, request_id=None, copies=1, position=0)
    outbox.note(item)
    with suppress(BrokerError):
        connection = await connect(url, "careless producer")
        try:
            await publish_raw(connection, RawMessage(key, body, flags, fields, REQUESTS.encode()))
        finally:
            await connection.close()
