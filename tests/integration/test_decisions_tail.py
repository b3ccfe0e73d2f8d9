"""``pointsman decisions tail`` as a process, beside a consumer at work."""

import asyncio
import json
import os
import pty
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from rules.identifiers import uuid7
from tests.integration.processes import WAIT_SECONDS, consuming, environment
from tests.integration.world import World, proposal, watching

LISTENING = b"listening for decisions\n"


@asynccontextmanager
async def tail(world: World, *options: str, out: int = PIPE) -> AsyncIterator[Process]:
    """A tail that listens."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "consumer", "decisions", "tail", *options),
        env=environment(**world.settings) | {"TERM": "xterm-256color", "NO_COLOR": ""},
        stdout=out,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            assert process.stderr is not None
            assert await process.stderr.readline() == LISTENING
            yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def lines(process: Process) -> list[dict[str, Any]]:
    """All that it prints until it ends, which it must do well."""
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    return [json.loads(line) for line in out.splitlines()]


async def test_into_a_pipe_it_prints_what_is_wanted_as_json_and_ends_after_so_many(
    world: World,
) -> None:
    async with (
        consuming(**world.settings),
        watching(world.amqp_url) as watcher,
        tail(world, "--limit", "4") as everything,
        tail(world, "--code", "redundant", "--code", "terminal", "--limit", "2") as codes,
        tail(world, "--kind", "flow", "--decision", "abort", "--limit", "1") as flows,
    ):
        run = uuid7()
        async with tail(world, "--run", str(run), "--decision", "accept", "--limit", "2") as one:
            accepted = await watcher.decision(proposal("RUNNING", run, create={}))
            await watcher.decision(proposal("RUNNING", run))
            await watcher.decision(proposal("COMPLETED", run))
            await watcher.decision(proposal("RUNNING", run))
            await watcher.decision(proposal("RUNNING", kind="flow"))
            assert [each["run"]["version"] for each in await lines(one)] == [1, 2]
        first, *_, last = await lines(everything)
        assert first == accepted | {"routing_key": f"task.accept.running.{run}"}
        assert last["code"] == "terminal"
        assert [each["code"] for each in await lines(codes)] == ["redundant", "terminal"]
        assert [each["code"] for each in await lines(flows)] == ["run-not-found"]


async def test_a_reader_that_goes_ends_it_without_a_word(world: World) -> None:
    reading, writing = os.pipe()
    async with tail(world, out=writing) as process:
        os.close(writing)
        os.close(reading)
        _, err = await process.communicate()
        assert (process.returncode, err) == (0, b"")


async def test_ctrl_c_ends_it_without_a_word(world: World) -> None:
    async with tail(world) as process:
        process.send_signal(signal.SIGINT)
        assert await process.communicate() == (b"", b"")
        assert process.returncode == 130


async def test_on_a_terminal_it_prints_lines_in_colour_and_json_where_that_is_asked_for(
    world: World,
) -> None:
    ours, terminal = pty.openpty()
    async with consuming(**world.settings), watching(world.amqp_url) as watcher:
        run = uuid7()
        for options in ((), ("--json",)):
            async with tail(world, "--limit", "1", *options, out=terminal) as process:
                await watcher.decision(proposal("COMPLETED", run, create={}))
                await process.communicate()
                assert process.returncode == 0
    for_people, for_programs = os.read(ours, 65_536).decode().splitlines()
    for each in (ours, terminal):
        os.close(each)
    assert str(run) in for_people
    assert "\x1b[32maccept" in for_people
    assert json.loads(for_programs)["code"] == "terminal"
