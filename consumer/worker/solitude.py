"""Work that goes on side by side, and work during which nothing else may go on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Solitude:
    """Lets many in together, or one alone; who waits to be alone lets nobody else in before."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._together = 0
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def is_shared(self) -> bool:
        """Whether more than one are in."""
        return self._together > 1

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """Be in beside others that are so too."""
        async with self._turn:
            self._together += 1
            self._empty.clear()
        try:
            yield
        finally:
            self._together -= 1
            if not self._together:
                self._empty.set()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Be in when all others have left, and keep them out."""
        async with self._turn:
            await self._empty.wait()
            yield
