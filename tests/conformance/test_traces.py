"""The recorded traces, step by step and field by field, over all that they can be replayed over."""

from pathlib import Path

from tests.conformance.backend import Backend
from tests.conformance.consumers import consumer_at
from tests.conformance.replay import replay
from tests.conformance.sessions import SessionBackend
from tests.conformance.traces import read_traces
from tests.contract.databases import storage_at
from tests.memory.storage import MemoryStorage
from tests.servers.vhosts import Vhost

RECORDED = Path(__file__).with_name("orion-core-policy.jsonl")


async def test_every_recorded_step_comes_out_as_in_the_reference() -> None:
    await replay_all(SessionBackend(MemoryStorage))


async def test_so_it_does_over_a_database(database_url: str) -> None:
    async with storage_at(database_url) as storage:
        await replay_all(SessionBackend(lambda: storage))


async def test_so_it_does_through_a_running_consumer(vhost: Vhost, postgres_url: str) -> None:
    async with consumer_at(vhost.url, postgres_url) as backend:
        await replay_all(backend)


async def replay_all(backend: Backend) -> None:
    report = await replay(read_traces(RECORDED), backend)

    assert report.different == ()
    assert (report.traces, report.steps) == (200, 1956)
