"""What the broker's user may do, as far as it shows without changing anything."""

from collections.abc import Sequence

from consumer.broker.connection import BrokerConnection
from consumer.broker.errors import ChannelClosedByBroker
from consumer.checking.findings import Finding
from consumer.topology.check import Problem, ProblemKind
from consumer.topology.names import DEAD_LETTERS

NAME = "permissions"

_ACCESS_REFUSED = 403


async def check_permissions(
    connection: BrokerConnection,
    problems: Sequence[Problem],
    publishing: Finding,
    letters: Finding,
) -> Finding:
    """What follows from the other findings, and besides whether an empty queue may be read."""
    is_empty = letters.details.get("waiting") == 0
    may: dict[str, bool | None] = {
        "configure": _configure(problems),
        "write": publishing.details.get("permitted"),
        "read": await _read(connection) if is_empty else None,
    }
    line = ", ".join(f"{each}: {_WORDS[permitted]}" for each, permitted in may.items())
    if False in may.values():
        ok: bool | None = False
    else:
        ok = None if None in may.values() else True
    return Finding(NAME, ok, (line,), may)


_WORDS = {True: "yes", False: "no", None: "unknown"}


def _configure(problems: Sequence[Problem]) -> bool | None:
    """To declare what is there already needs the same permission as to make it."""
    kinds = {each.kind for each in problems}
    if ProblemKind.FORBIDDEN in kinds:
        return False
    return None if ProblemKind.MISSING in kinds else True


async def _read(connection: BrokerConnection) -> bool | None:
    """Ask an empty queue for a message; one that came meanwhile goes back at once."""
    try:
        async with connection.channel() as channel:
            await channel.basic_get(DEAD_LETTERS)
    except ChannelClosedByBroker as error:
        return False if error.code == _ACCESS_REFUSED else None
    return True
