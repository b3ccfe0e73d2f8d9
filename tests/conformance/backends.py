"""What traces can be replayed over, by name.

Each is a context manager, which starts what it needs.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from tempfile import TemporaryDirectory
from types import MappingProxyType

from deploy.servers import postgresql, rabbitmq
from tests.conformance.backend import Backend
from tests.conformance.consumers import consumer_at
from tests.conformance.sessions import SessionBackend
from tests.contract.databases import storage_at
from tests.memory.storage import MemoryStorage
from tests.servers.databases import fresh_database
from tests.servers.vhosts import fresh_vhost


@asynccontextmanager
async def _memory() -> AsyncIterator[Backend]:
    yield SessionBackend(MemoryStorage)


@asynccontextmanager
async def _sqlite() -> AsyncIterator[Backend]:
    with TemporaryDirectory() as folder:
        async with storage_at(f"sqlite+aiosqlite:///{folder}/conformance.db") as storage:
            yield SessionBackend(lambda: storage)


@asynccontextmanager
async def _postgresql() -> AsyncIterator[Backend]:
    with postgresql(durable=False) as server, fresh_database(server) as url:
        async with storage_at(url) as storage:
            yield SessionBackend(lambda: storage)


@asynccontextmanager
async def _consumer() -> AsyncIterator[Backend]:
    with (
        rabbitmq() as broker,
        fresh_vhost(broker) as vhost,
        postgresql(durable=False) as server,
        fresh_database(server) as database_url,
    ):
        async with consumer_at(vhost.url, database_url) as backend:
            yield backend


BACKENDS: Mapping[str, Callable[[], AbstractAsyncContextManager[Backend]]] = MappingProxyType(
    {"memory": _memory, "sqlite": _sqlite, "postgresql": _postgresql, "consumer": _consumer}
)
