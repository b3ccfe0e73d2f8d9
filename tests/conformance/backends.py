"""What traces can be replayed over, by name.

A kind of storage is added by its own context manager, which may start what it needs.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from tempfile import TemporaryDirectory
from types import MappingProxyType

from deploy.servers import postgresql
from tests.conformance.backend import Backend
from tests.conformance.sessions import SessionBackend
from tests.contract.databases import storage_at
from tests.memory.storage import MemoryStorage
from tests.servers.databases import fresh_database


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


BACKENDS: Mapping[str, Callable[[], AbstractAsyncContextManager[Backend]]] = MappingProxyType(
    {"memory": _memory, "sqlite": _sqlite, "postgresql": _postgresql}
)
