from collections.abc import AsyncIterator

import pytest
from structlog.testing import CapturedCall, CapturingLogger

from consumer.health import http
from consumer.health.http import Page
from consumer.health.server import serving
from tests.consumer.health.clients import LOOPBACK, answer, get, said


def broken() -> Page:
    raise LookupError("nothing there")


PAGES = {"/here": lambda: Page(body=b"hello\n"), "/broken": broken}


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with serving(LOOPBACK, 0, PAGES) as port:
        yield port


async def test_a_page_is_answered_and_the_connection_closed(port: int) -> None:
    found = await get(port, "/here?why=not")
    assert (found.status, found.body) == (200, "hello\n")
    assert found.headers["connection"] == "close"
    assert found.headers["cache-control"] == "no-store"


async def test_who_asks_for_the_head_gets_no_body(port: int) -> None:
    found = await get(port, "/here", "HEAD")
    assert (found.status, found.body, found.headers["content-length"]) == (200, "", "6")


async def test_another_path_is_answered_with_those_that_there_are(port: int) -> None:
    found = await get(port, "/")
    assert found.status == 404
    assert {"/here", "/broken"} <= set(found.body.splitlines())


async def test_nothing_can_be_posted(port: int) -> None:
    head = b"POST /here HTTP/1.1\r\nHost: here\r\nContent-Length: 20000\r\n\r\n"
    found = answer(await said(port, head + b"x" * 20_000))
    assert (found.status, found.headers["allow"]) == (405, "get, head")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),  # TLS
        (b"GET /here\r\n\r\n", 400),
        (b"GET /here HTTP/1.1\r\n\r\n", 400),  # no host
        (b"GET /" + b"a" * 20_000, 431),
        (b"GET /\xff HTTP/1.1\r\nHost: here\r\n\r\n", 400),
    ],
)
async def test_what_is_no_request_of_ours_is_answered_too(
    port: int, request_bytes: bytes, status: int
) -> None:
    assert answer(await said(port, request_bytes)).status == status


async def test_who_closes_its_side_at_once_gets_the_whole_answer() -> None:
    large = Page(body=b"x" * 1_000_000)
    async with serving(LOOPBACK, 0, {"/": lambda: large}) as port:
        found = answer(await said(port, b"GET / HTTP/1.0\r\n\r\n"))
    assert len(found.body) == 1_000_000


async def test_a_page_that_can_not_be_made_is_told_and_logged(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = CapturingLogger()
    monkeypatch.setattr(http, "log", log)
    assert (await get(port, "/broken")).status == 500
    assert (await get(port, "/here")).status == 200
    assert log.calls == [CapturedCall("exception", ("page-failed",), {"path": "/broken"})]
