"""The demo as a person starts it."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil

from consumer.broker.connection import connect
from consumer.demo.company import refuse_company
from persistence.database import open_database
from persistence.limits import list_limits
from tests.integration.processes import WAIT_SECONDS, consuming, environment, pointsman
from tests.servers.vhosts import Vhost

PARTITIONS = 8


async def nobody_is_left_at(url: str) -> None:
    connection = await connect(url, "test")
    await refuse_company(connection, PARTITIONS)
    await connection.close()


@asynccontextmanager
async def demo_under_way(vhost: Vhost, database_url: str) -> AsyncIterator[Process]:
    """A demo of which the first decisions have been seen."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "consumer",
        "demo",
        env=environment(amqp_url=vhost.url, database_url=database_url),
        stdout=PIPE,
        stderr=PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while b"accept" not in (line := await process.stdout.readline()):
                assert line, await process.communicate()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_it_ends_well_and_counts_what_it_has_shown(vhost: Vhost, database_url: str) -> None:
    ended = await pointsman("demo", amqp_url=vhost.url, database_url=database_url)

    assert ended.code == 0, ended.err
    shown, _, summary = ended.out.partition("\n\n")
    rows = [row for row in shown.splitlines()[2:] if "moved along by" not in row]
    again = [row for row in rows if "received once more" in row]
    words = Counter(word for row in rows for word in set(row.split()))
    told = " ".join(summary.split()) + " "
    assert f"decisions received {len(rows) - len(again)} " in told
    assert f"received once more, same bytes {len(again)} " in told
    for code in ("cached", "retry", "limit-reached", "redundant", "terminal", "invalid"):
        assert f" {code} {words[code]} " in told
    async with open_database(database_url) as database:
        assert await list_limits(database) == []
    await nobody_is_left_at(vhost.url)


async def test_a_signal_ends_it_with_its_consumer(vhost: Vhost, sqlite_url: str) -> None:
    async with demo_under_way(vhost, sqlite_url) as demo:
        demo.send_signal(signal.SIGINT)
        async with asyncio.timeout(WAIT_SECONDS):
            _, err = await demo.communicate()

    assert demo.returncode == 128 + signal.SIGINT
    assert err.decode().splitlines()[-1] == "stopped by SIGINT"
    await nobody_is_left_at(vhost.url)


async def test_killed_it_takes_its_consumer_along(vhost: Vhost, sqlite_url: str) -> None:
    async with demo_under_way(vhost, sqlite_url) as demo:
        [consumer] = psutil.Process(demo.pid).children()
        demo.kill()
        await demo.wait()
        gone, alive = await asyncio.to_thread(psutil.wait_procs, [consumer], timeout=WAIT_SECONDS)

    assert (gone, alive) == ([consumer], [])


async def test_it_does_not_mix_with_others_at_work(vhost: Vhost, sqlite_url: str) -> None:
    settings = {"amqp_url": vhost.url, "database_url": sqlite_url}
    await pointsman("db", "upgrade", **settings)
    async with consuming(**settings):
        ended = await pointsman("demo", **settings)

    assert ended.code == 1
    assert "a consumer is at work on pointsman.requests.0" in ended.err.splitlines()[-1]


async def test_a_consumer_that_can_not_start_is_quoted(vhost: Vhost, sqlite_url: str) -> None:
    settings = {"amqp_url": vhost.url, "database_url": sqlite_url}
    await pointsman("db", "upgrade", **settings)
    await pointsman("topology", "declare", **settings)
    ended = await pointsman("demo", **settings, partitions=4)

    assert ended.code == 1
    [quoted, line] = ended.err.splitlines()[-2:]
    assert "POINTSMAN_PARTITIONS" in quoted
    assert "the demo's consumer ended with exit code 1" in line
