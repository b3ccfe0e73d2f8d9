"""What traces can be replayed over, by name.

A kind of storage is added by its own context manager, which may start what it needs.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import MappingProxyType

from tests.conformance.backend import Backend
from tests.conformance.sessions import SessionBackend
from tests.memory.storage import MemoryStorage


@asynccontextmanager
async def _memory() -> AsyncIterator[Backend]:
    yield SessionBackend(MemoryStorage)


BACKENDS: Mapping[str, Callable[[], AbstractAsyncContextManager[Backend]]] = MappingProxyType(
    {"memory": _memory}
)
