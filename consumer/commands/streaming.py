"""Lines to standard output as they come, for as long as somebody reads them."""

import asyncio
import os
import select
import stat


class LineWriter:
    """Writes lines and never holds up the event loop over a reader that takes its time.

    ``closed`` is set when nobody can read any more: of a pipe at once, even where nothing is
    written.
    """

    def __init__(self, descriptor: int) -> None:
        self.closed = asyncio.Event()
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._can_wait = True
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            # There is nothing to be read from it: this tells that the other end is closed.
            self._loop.add_reader(descriptor, self._close)

    async def write(self, line: str) -> None:
        """Write a line when there is room for it; where nobody reads any more, do nothing."""
        data = f"{line}\n".encode(errors="replace")
        while data and not self.closed.is_set():
            await self._until_writable()
            try:
                # What is called writable takes so much of a pipe's data without waiting.
                written = os.write(self._descriptor, data[: select.PIPE_BUF])
            except (BrokenPipeError, ConnectionError):
                self._close()
                return
            data = data[written:]

    def stop(self) -> None:
        """Look out no more for the end of whoever reads."""
        self._loop.remove_reader(self._descriptor)

    async def _until_writable(self) -> None:
        if not self._can_wait:
            return
        writable = self._loop.create_future()
        try:
            self._loop.add_writer(self._descriptor, _resolve, writable)
        except OSError:  # a file always is
            self._can_wait = False
            return
        try:
            await writable
        finally:
            self._loop.remove_writer(self._descriptor)

    def _close(self) -> None:
        self._loop.remove_reader(self._descriptor)
        self.closed.set()


def _resolve(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
