"""Faults of the lines between consumers and their servers."""

import asyncio
from collections.abc import Callable, Sequence
from random import Random

from tests.chaos.faults.fault import Fault, Side, last
from tests.chaos.place import Line, Place
from tests.chaos.proxy import Mode, Proxy

_End = Callable[[Line], Proxy]


def _to_broker(line: Line) -> Proxy:
    return line.broker


def _to_database(line: Line) -> Proxy:
    return line.database


def _some(place: Place, rng: Random) -> Sequence[Line]:
    """One line, or all of them."""
    return rng.choice(([rng.choice(place.lines)], place.lines))


async def _set_mode(proxies: Sequence[Proxy], mode: Mode) -> None:
    await asyncio.gather(*(proxy.set_mode(mode) for proxy in proxies))


def _cut(name: str, end: _End) -> Fault:
    async def strike(place: Place, rng: Random) -> None:
        proxies = [end(line) for line in _some(place, rng)]
        await _set_mode(proxies, Mode.DROP)
        try:
            await last(rng, 0.5, 5)
        finally:
            await _set_mode(proxies, Mode.PASS)

    return Fault(name, Side.NETWORK, strike)


def _halt(name: str, end: _End, *, long: bool = False) -> Fault:
    """Longer or shorter than a heartbeat or a batch takes to be missed; or for a long time."""

    async def strike(place: Place, rng: Random) -> None:
        proxies = [end(line) for line in _some(place, rng)]
        await _set_mode(proxies, Mode.HALT)
        try:
            await last(rng, *((20, 80) if long else (0.5, 15)))
        finally:
            await _set_mode(proxies, Mode.PASS)

    return Fault(name, Side.NETWORK, strike, long)


def _lose_answers(name: str, end: _End) -> Fault:
    """What the consumers ask for is done, and they are never told so."""

    async def strike(place: Place, rng: Random) -> None:
        proxies = [end(line) for line in _some(place, rng)]
        await _set_mode(proxies, Mode.MUTE)
        try:
            await last(rng, 0.2, 2)
            await _set_mode(proxies, Mode.DROP)
        finally:
            await _set_mode(proxies, Mode.PASS)

    return Fault(name, Side.NETWORK, strike)


def _slow(name: str, end: _End) -> Fault:
    async def strike(place: Place, rng: Random) -> None:
        proxies = [end(line) for line in _some(place, rng)]
        for proxy in proxies:
            proxy.delay(rng.uniform(0.05, 0.5))
        try:
            await last(rng, 2, 6)
        finally:
            for proxy in proxies:
                proxy.delay(0)

    return Fault(name, Side.NETWORK, strike)


async def _cancel_consumers(place: Place, rng: Random) -> None:
    for line in _some(place, rng):
        line.broker.cancel_consumers()


FAULTS = (
    _cut("cut-broker-line", _to_broker),
    _halt("halt-broker-line", _to_broker),
    _halt("long-halt-broker-line", _to_broker, long=True),
    _lose_answers("lose-confirms", _to_broker),
    _slow("slow-broker-line", _to_broker),
    _cut("cut-database-line", _to_database),
    _halt("halt-database-line", _to_database),
    _halt("long-halt-database-line", _to_database, long=True),
    _lose_answers("lose-commits", _to_database),
    _slow("slow-database-line", _to_database),
    Fault("cancel-subscriptions", Side.NETWORK, _cancel_consumers),
)
