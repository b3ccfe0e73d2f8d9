"""Connections to the broker by TLS, the client's too: that they stand, or why not."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from yarl import URL

from consumer.broker.address import BrokerAddress
from consumer.broker.connection import connect
from consumer.broker.errors import BrokerRefused, BrokerUnreachable
from consumer.client import Client
from deploy.servers import RabbitServer
from persistence.tls import TlsFiles
from tests.servers.certificates import HOSTS, OTHER_HOST, Authority, Held
from tests.servers.speakers import speaking_tls

Open = Callable[[BrokerAddress], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def plainly(address: BrokerAddress) -> AsyncIterator[None]:
    connection = await connect(address, "test")
    yield
    await connection.close()


@asynccontextmanager
async def as_a_client(address: BrokerAddress) -> AsyncIterator[None]:
    async with Client.connected(address, "test"):
        yield


@pytest.fixture(params=[plainly, as_a_client], ids=["connect", "client"])
def opened(request: pytest.FixtureRequest) -> Open:
    """Both ways in which Pointsman connects."""
    way: Open = request.param
    return way


@pytest.fixture
def url(tls_broker: RabbitServer) -> str:
    return tls_broker.tls_url_of("/")


def files(authority: Authority | None, held: Held | None = None) -> TlsFiles:
    return TlsFiles(
        ca=authority.file if authority else None,
        cert=held.certificate if held else None,
        key=held.key if held else None,
    )


async def refusal(opened: Open, url: str, tls: TlsFiles) -> str:
    address = BrokerAddress(str(URL(url).with_password("s3cret")), tls)
    with pytest.raises(BrokerUnreachable) as caught:
        async with opened(address):
            pass
    told = str(caught.value)
    assert "\n" not in told
    assert "s3cret" not in told
    return told


async def test_a_connection_stands(opened: Open, authority: Authority, url: str) -> None:
    async with opened(BrokerAddress(url, files(authority, authority.issue("client")))):
        pass


async def test_files_named_in_the_url_do_as_well(
    opened: Open, authority: Authority, url: str
) -> None:
    held = authority.issue("client")
    named = {"cafile": authority.file, "certfile": held.certificate, "keyfile": held.key}

    async with opened(BrokerAddress(f"{url}?{urlencode(named)}")):
        pass


async def test_a_certificate_can_stand_in_for_a_password(
    opened: Open, authority: Authority, tls_broker: RabbitServer, url: str
) -> None:
    tls_broker.run_ctl("add_user", "certified", "unused")
    tls_broker.run_ctl("clear_password", "certified")
    tls_broker.run_ctl("set_permissions", "certified", ".*", ".*", ".*")
    without_login = str(URL(url).with_user(None).with_query(auth="external"))
    try:
        certified = files(authority, authority.issue("certified"))
        async with opened(BrokerAddress(without_login, certified)):
            pass
        with pytest.raises(BrokerRefused, match="POINTSMAN_AMQP_URL"):
            async with opened(
                BrokerAddress(without_login, files(authority, authority.issue("unknown")))
            ):
                pass
    finally:
        tls_broker.run_ctl("delete_user", "certified")


async def test_a_wrong_password_is_no_matter_of_tls(
    opened: Open, authority: Authority, url: str
) -> None:
    wrong = str(URL(url).with_password("s3cret"))
    with pytest.raises(BrokerRefused) as caught:
        async with opened(BrokerAddress(wrong, files(authority, authority.issue("client")))):
            pass
    assert "s3cret" not in str(caught.value)


async def test_a_broker_that_demands_a_certificate_is_told(
    opened: Open, authority: Authority, url: str
) -> None:
    """It may hang up before it has said so: then that is told."""
    assert "POINTSMAN_AMQP_CERT" in await refusal(opened, url, files(authority))


async def test_a_certificate_of_another_ca_is_told_to_be_refused(
    opened: Open, authority: Authority, url: str, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "theirs").issue("client")

    assert "POINTSMAN_AMQP_CERT" in await refusal(opened, url, files(authority, stranger))


async def test_a_broker_whose_ca_is_not_trusted_is_told(
    opened: Open, authority: Authority, url: str, tmp_path: Path
) -> None:
    held = authority.issue("client")
    for trusted in (Authority(tmp_path, "theirs"), None):
        told = await refusal(opened, url, files(trusted, held))
        assert "its certificate can't be trusted: self-signed certificate in" in told
        assert "name the file of its CA in POINTSMAN_AMQP_CA" in told


async def test_a_certificate_of_another_host_is_told(
    opened: Open, authority: Authority, url: str
) -> None:
    elsewhere = str(URL(url).with_host(OTHER_HOST))

    told = await refusal(opened, elsewhere, files(authority))

    assert "its certificate is another host's: Hostname mismatch" in told
    assert "name it in POINTSMAN_AMQP_URL as its certificate does" in told


async def test_an_expired_certificate_is_told(opened: Open, authority: Authority) -> None:
    async with speaking_tls(authority.issue(*HOSTS, expired=True)) as port:
        told = await refusal(opened, f"amqps://user@127.0.0.1:{port}/", files(authority))

    assert "certificate has expired; let it be renewed" in told


async def test_a_broker_without_tls_is_told(
    opened: Open, authority: Authority, tls_broker: RabbitServer
) -> None:
    plain = str(URL(tls_broker.url_of("/")).with_scheme("amqps"))

    told = await refusal(opened, plain, files(authority))

    assert "does not speak TLS there; see POINTSMAN_AMQP_URL for the port and scheme" in told


async def test_a_port_for_tls_that_is_spoken_to_without_is_told(opened: Open, url: str) -> None:
    told = await refusal(opened, str(URL(url).with_scheme("amqp")), files(None))

    assert "let POINTSMAN_AMQP_URL begin with amqps://" in told


async def test_a_file_that_was_taken_away_is_told_by_its_setting(
    opened: Open, url: str, tmp_path: Path
) -> None:
    told = await refusal(opened, url, TlsFiles(ca=tmp_path / "gone"))

    assert told.startswith("POINTSMAN_AMQP_CA: the file ")
