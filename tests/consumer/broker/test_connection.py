import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiormq.connection import FrameReceiver
from yarl import URL

from consumer.broker.connection import BrokerConnection, connect
from consumer.broker.errors import BrokerConnectionLost, BrokerRefused, BrokerUnreachable
from consumer.broker.publisher import Publisher
from tests.consumer.broker.queues import make_queue, message
from tests.servers.vhosts import Vhost

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def something_else(answer: Answer) -> AsyncIterator[str]:
    """A server that is no broker; its URL, with a password that nobody should see."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield f"amqp://user:s3cret@127.0.0.1:{port}/"


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(8)
    writer.close()


async def speak_amqp_1(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(8)
    writer.write(b"AMQP\x00\x01\x00\x00")
    writer.close()


async def speak_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(8)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    writer.close()


@pytest.mark.parametrize(
    ("answer", "seconds", "told"),
    [
        (say_nothing, 0.3, "no answer from the broker"),
        (hang_up, 60, "unexpectedly closed"),
        (speak_amqp_1, 60, "does not speak AMQP 0-9-1"),
        (speak_http, 60, "unexpectedly closed"),
    ],
)
async def test_what_is_no_broker_is_told_in_one_line_without_the_password(
    answer: Answer, seconds: float, told: str
) -> None:
    async with something_else(answer) as url:
        with pytest.raises(BrokerUnreachable, match=told) as caught:
            await connect(url, "test", seconds=seconds)

    sentence = str(caught.value)
    assert f"127.0.0.1:{URL(url).port}" in sentence
    assert "POINTSMAN_AMQP_URL" in sentence
    assert "s3cret" not in sentence
    assert "\n" not in sentence


async def test_a_port_where_nobody_listens_is_told(vhost: Vhost) -> None:
    url = str(URL(vhost.url).with_port(1))

    with pytest.raises(BrokerUnreachable, match=r"can't reach the broker at .*:1: Connect"):
        await connect(url, "test")


async def test_a_host_that_does_not_exist_is_told() -> None:
    with pytest.raises(BrokerUnreachable, match=r"nowhere\.invalid:5672"):
        await connect("amqp://user:s3cret@nowhere.invalid/", "test")


async def test_an_end_that_is_there_before_the_library_reads_is_a_broker_that_hung_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def at_the_end(_: FrameReceiver) -> None:
        raise StopAsyncIteration

    monkeypatch.setattr(FrameReceiver, "get_frame", at_the_end)
    async with something_else(hang_up) as url:
        with pytest.raises(BrokerUnreachable, match="it hung up: the connection was closed"):
            await connect(url, "test")


async def test_a_broker_that_speaks_no_tls_is_told(vhost: Vhost) -> None:
    url = str(URL(vhost.url).with_scheme("amqps"))

    with pytest.raises(BrokerUnreachable, match="does not speak TLS there; see POINTSMAN_AMQP_URL"):
        await connect(url, "test")


async def test_a_url_that_is_none_is_told_without_repeating_it() -> None:
    with pytest.raises(BrokerUnreachable, match="is not a URL") as caught:
        await connect("amqp://user:s3cret@host:port/", "test")

    assert "s3cret" not in str(caught.value)


async def test_a_wrong_password_is_refused_and_not_repeated(vhost: Vhost) -> None:
    url = str(URL(vhost.url).with_password("s3cret"))

    with pytest.raises(BrokerRefused, match="refused the connection: ACCESS_REFUSED") as caught:
        await connect(url, "test")

    assert "s3cret" not in str(caught.value)
    assert "check user, password and virtual host" in str(caught.value)


async def test_a_virtual_host_that_does_not_exist_is_refused(vhost: Vhost) -> None:
    url = str(URL(vhost.url).with_path("/nowhere"))

    with pytest.raises(BrokerRefused, match="nowhere"):
        await connect(url, "test")


async def test_the_broker_lists_the_connection_by_its_name(vhost: Vhost) -> None:
    connection = await connect(vhost.url, "pointsman, consuming")

    listed = await asyncio.to_thread(
        vhost.server.run_ctl, "list_connections", "vhost", "client_properties"
    )

    assert any(vhost.name in line and "pointsman, consuming" in line for line in listed.split("\n"))
    assert connection.broker_version[0].isdigit()
    await connection.close()


async def test_a_connection_that_was_closed_leaves_nothing_running(vhost: Vhost) -> None:
    before = asyncio.all_tasks()
    connection = await connect(vhost.url, "test")
    await Publisher.open(connection)

    await connection.close()

    assert connection.loss == "the connection was closed by us"
    leaving = asyncio.all_tasks() - before
    if leaving:
        await asyncio.wait(leaving, timeout=5)
    assert asyncio.all_tasks() == before
    with pytest.raises(BrokerConnectionLost, match="closed by us"):
        await Publisher.open(connection)


async def test_a_connection_can_be_closed_twice(connection: BrokerConnection) -> None:
    await connection.close()
    await connection.close()

    assert connection.loss == "the connection was closed by us"


async def test_whoever_waits_for_the_loss_of_a_connection_is_told_why(
    connection: BrokerConnection,
) -> None:
    first, second = asyncio.create_task(connection.lost()), asyncio.create_task(connection.lost())
    await asyncio.wait({first, second}, timeout=0)
    first.cancel()

    connection.abort("for a test")

    assert await second == "for a test"


async def test_a_killed_broker_is_a_lost_connection(frail_vhost: Vhost) -> None:
    connection = await connect(frail_vhost.url, "test")

    await asyncio.to_thread(frail_vhost.server.kill)

    try:
        assert "connection" in await connection.lost()
        with pytest.raises(BrokerUnreachable):
            await connect(frail_vhost.url, "test", seconds=1)
    finally:
        await connection.close()
        await asyncio.to_thread(frail_vhost.server.start_again)


async def test_a_broker_that_blocks_publishers_is_seen_to_do_so_until_it_stops(
    frail_vhost: Vhost,
) -> None:
    connection = await connect(frail_vhost.url, "test")
    await make_queue(connection, "requests")
    publisher = await Publisher.open(connection)
    await publisher.publish([message("requests", "a")])
    assert connection.blocked is None
    run_ctl = frail_vhost.server.run_ctl
    try:
        await asyncio.to_thread(run_ctl, "set_vm_memory_high_watermark", "0.0000001")
        publish = asyncio.create_task(publisher.publish([message("requests", "b")]))
        await blocked(connection, yes=True)
        assert not publish.done()
    finally:
        await asyncio.to_thread(run_ctl, "set_vm_memory_high_watermark", "0.8")
    await blocked(connection, yes=False)

    await publish

    await connection.close()


async def blocked(connection: BrokerConnection, *, yes: bool) -> None:
    """Come back when the broker has said so."""
    while (connection.blocked is not None) is not yes:
        await asyncio.to_thread(lambda: None)
