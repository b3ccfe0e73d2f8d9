"""Dead letters as an operator sees them, and what is to be seen of them in the database."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from typing import Any

from persistence.database import Database
from persistence.dead_letters.listing import list_letters
from persistence.schema import LetterStatus
from tests.integration.processes import WAIT_SECONDS, environment, pointsman
from tests.integration.world import World


async def listed(world: World, *options: str) -> list[dict[str, Any]]:
    """What ``dead-letters list`` prints."""
    ended = await pointsman("dead-letters", "list", "--json", *options, **world.settings)
    assert ended.code == 0, ended.err
    letters: list[dict[str, Any]] = json.loads(ended.out)
    return letters


async def letters_listed(world: World, count: int, *options: str) -> list[dict[str, Any]]:
    """The same, once so many letters are on record."""
    while True:
        letters = await listed(world, *options)
        if len(letters) >= count:
            return letters


async def done(world: World, *arguments: str) -> list[dict[str, Any]]:
    """The rows that a command about dead letters prints when it has ended well."""
    ended = await pointsman("dead-letters", *arguments, "--json", **world.settings)
    assert ended.code == 0, ended.err
    rows: list[dict[str, Any]] = json.loads(ended.out)
    return rows


async def replaying(world: World) -> Process:
    """A replay of all letters, at work."""
    arguments = ("dead-letters", "replay", "--yes", "--json")
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "consumer",
        *arguments,
        env=environment(**world.settings),
        stdout=PIPE,
        stderr=PIPE,
    )


async def replayed(process: Process) -> list[str]:
    """The ids of the letters that it has replayed, once it has ended well."""
    async with asyncio.timeout(WAIT_SECONDS * 2):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return [row["id"] for row in json.loads(out)]


async def by_status(database: Database) -> Counter[LetterStatus]:
    """How many letters have each status."""
    return Counter(letter.status for letter in await list_letters(database))


async def until_recorded(database: Database, count: int) -> None:
    """Wait until so many letters are on record."""
    async with asyncio.timeout(WAIT_SECONDS * 2):
        while (await by_status(database)).total() < count:  # noqa: ASYNC110  nothing tells
            await asyncio.sleep(0.1)
