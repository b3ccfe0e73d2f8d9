"""One HTTP exchange: a request is read, a page is sent, and that was the connection."""

from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

import h11
import structlog

log = structlog.get_logger(__name__)

PLAIN_TEXT = "text/plain; charset=utf-8"

_MAX_HEAD_BYTES = 8_192
_READ_BYTES = 4_096
_MAX_IGNORED_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is answered."""

    body: bytes
    content_type: str = PLAIN_TEXT
    status: HTTPStatus = HTTPStatus.OK


Pages = Mapping[str, Callable[[], Page]]
"""What is answered at each path."""


async def exchange(reader: StreamReader, writer: StreamWriter, pages: Pages) -> None:
    """Read a request and answer it; whatever comes, the answer is a page or nothing.

    Raises:
        OSError: the connection is gone.
    """
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD_BYTES)
    head_only = False
    try:
        request = await _read_request(connection, reader)
        if request is None:
            return
        head_only = request.method == b"HEAD"
        page = _page(request, pages)
    except h11.RemoteProtocolError as error:
        page = _told(HTTPStatus(error.error_status_hint))
    writer.write(_written(connection, page, head_only=head_only))
    await writer.drain()
    # Closed with something unread, a connection is reset, and the answer may be lost with it.
    writer.write_eof()
    ignored = 0
    while ignored < _MAX_IGNORED_BYTES and (rest := await reader.read(_READ_BYTES)):
        ignored += len(rest)
    writer.close()
    await writer.wait_closed()


async def _read_request(connection: h11.Connection, reader: StreamReader) -> h11.Request | None:
    """The request, None where the other end left without one."""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request):
            return event
        if event is not h11.NEED_DATA:
            return None
        connection.receive_data(await reader.read(_READ_BYTES))


def _page(request: h11.Request, pages: Pages) -> Page:
    if request.method not in {b"GET", b"HEAD"}:
        return _told(HTTPStatus.METHOD_NOT_ALLOWED)
    path = request.target.partition(b"?")[0].decode("ascii", errors="replace")
    make = pages.get(path)
    if make is None:
        there = "".join(f"{each}\n" for each in pages)
        return Page(body=f"there is:\n{there}".encode(), status=HTTPStatus.NOT_FOUND)
    try:
        return make()
    except Exception:  # a page that can't be made is no reason to end anything
        log.exception("page-failed", path=path)
        return _told(HTTPStatus.INTERNAL_SERVER_ERROR)


def _told(status: HTTPStatus) -> Page:
    return Page(body=f"{status.value} {status.phrase}\n".encode(), status=status)


def _written(connection: h11.Connection, page: Page, *, head_only: bool) -> bytes:
    headers = [
        ("content-type", page.content_type),
        ("content-length", str(len(page.body))),
        ("cache-control", "no-store"),
        ("connection", "close"),
    ]
    if page.status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append(("allow", "GET, HEAD"))
    reason = page.status.phrase.encode()
    response = h11.Response(status_code=page.status, headers=headers, reason=reason)
    data = connection.send(response) or b""
    if not head_only:
        data += connection.send(h11.Data(data=page.body)) or b""
    return data + (connection.send(h11.EndOfMessage()) or b"")
