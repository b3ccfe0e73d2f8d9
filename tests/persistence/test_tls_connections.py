"""Connections to PostgreSQL by TLS: that they stand, or why not, in one line that helps."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text
from yarl import URL

from deploy.servers import PostgresServer
from persistence.address import DatabaseAddress
from persistence.database import open_database
from persistence.errors import DatabaseUnreachable
from persistence.tls import TlsFiles
from tests.servers.certificates import HOSTS, OTHER_HOST, Authority, Held
from tests.servers.databases import fresh_database
from tests.servers.speakers import speaking_tls_when_asked

SECURE = text("SELECT ssl AND client_dn IS NOT NULL FROM pg_stat_ssl WHERE pid = pg_backend_pid()")

NOT_VALID = f"certificate is not valid for '{OTHER_HOST}'"


LEAVE_SECONDS = 10


@pytest.fixture(autouse=True)
async def _all_have_left() -> AsyncIterator[None]:
    """Keep the loop until the test's connections are gone: leaving TLS takes the other's word."""
    before = connected()
    yield
    async with asyncio.timeout(LEAVE_SECONDS):
        while connected() - before:  # noqa: ASYNC110  it is the loop that ends them
            await asyncio.sleep(0.01)


def connected() -> set[tuple[object, object]]:
    """Both ends of this process's connections."""
    all_of_them = psutil.Process().net_connections("tcp")
    return {(each.laddr, each.raddr) for each in all_of_them if each.raddr}


@pytest.fixture
def url(tls_postgres: PostgresServer) -> Iterator[str]:
    with fresh_database(tls_postgres) as fresh:
        yield fresh


def files(authority: Authority | None, held: Held | None = None) -> TlsFiles:
    return TlsFiles(
        ca=authority.file if authority else None,
        cert=held.certificate if held else None,
        key=held.key if held else None,
    )


async def refusal(url: str, tls: TlsFiles) -> str:
    async with open_database(DatabaseAddress(url, tls)) as database:
        with pytest.raises(DatabaseUnreachable) as caught:
            await database.revision()
    told = str(caught.value)
    assert "\n" not in told
    assert "secret" not in told
    return told


@pytest.mark.parametrize("mode", ["", "?ssl=require", "?ssl=verify-ca", "?ssl=verify-full"])
async def test_a_connection_is_encrypted_and_shows_the_certificate(
    authority: Authority, url: str, mode: str
) -> None:
    address = DatabaseAddress(f"{url}{mode}", files(authority, authority.issue("client")))

    async with open_database(address) as database, database.reading() as connection:
        assert (await connection.execute(SECURE)).scalar() is True


async def test_a_renewed_certificate_is_taken_up_by_the_next_connection(
    authority: Authority, url: str, tmp_path: Path
) -> None:
    expired, renewed = authority.issue("client", expired=True), authority.issue("client")
    both = tmp_path / "both.pem"
    both.write_bytes(expired.certificate.read_bytes() + expired.key.read_bytes())
    address = DatabaseAddress(url, TlsFiles(ca=authority.file, cert=both))
    async with open_database(address) as database:
        with pytest.raises(DatabaseUnreachable):
            await database.revision()

        both.write_bytes(renewed.certificate.read_bytes() + renewed.key.read_bytes())

        assert await database.revision() is None


async def test_a_server_that_demands_a_certificate_is_told(authority: Authority, url: str) -> None:
    for asked, tls in ((url, files(authority)), (f"{url}?ssl=require", files(None))):
        told = await refusal(asked, tls)
        assert "demands a client's certificate" in told
        assert "set POINTSMAN_DATABASE_CERT and POINTSMAN_DATABASE_KEY" in told


async def test_a_server_that_demands_tls_is_told(url: str) -> None:
    assert "POINTSMAN_DATABASE_CA" in await refusal(f"{url}?ssl=disable", files(None))


async def test_a_certificate_of_another_ca_is_told_to_be_refused(
    authority: Authority, url: str, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "theirs").issue("client")

    told = await refusal(url, files(authority, stranger))

    assert "POINTSMAN_DATABASE_CERT" in told


async def test_a_wrong_password_is_no_matter_of_tls(authority: Authority, url: str) -> None:
    wrong = str(URL(url).with_password("secret"))

    told = await refusal(wrong, files(authority, authority.issue("client")))

    assert "password authentication failed" in told


async def test_a_server_whose_ca_is_not_trusted_is_told(
    authority: Authority, url: str, tmp_path: Path
) -> None:
    told = await refusal(url, files(Authority(tmp_path, "theirs"), authority.issue("client")))

    assert "its certificate can't be trusted: self-signed certificate in" in told
    assert "name the file of its CA in POINTSMAN_DATABASE_CA" in told


async def test_a_check_without_a_ca_is_told(
    authority: Authority, url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    told = await refusal(url, files(None, authority.issue("client")))

    assert "no CA to check its certificate by" in told
    assert "POINTSMAN_DATABASE_CA" in told


async def test_a_certificate_of_another_host_is_told(authority: Authority, url: str) -> None:
    told = await refusal(str(URL(url).with_host(OTHER_HOST)), files(authority))

    assert f"its certificate is another host's: Hostname mismatch, {NOT_VALID}" in told
    assert "POINTSMAN_DATABASE_URL" in told


@pytest.mark.parametrize("mode", ["require", "verify-ca"])
async def test_less_than_all_checks_does_not_mind_another_host(
    authority: Authority, url: str, mode: str, tmp_path: Path
) -> None:
    elsewhere = f"{URL(url).with_host(OTHER_HOST)}?ssl={mode}"
    held = authority.issue("client")

    async with open_database(DatabaseAddress(elsewhere, files(authority, held))) as database:
        assert await database.revision() is None
    assert "can't be trusted" in await refusal(elsewhere, files(Authority(tmp_path, "theirs")))


async def test_an_expired_certificate_is_told(authority: Authority) -> None:
    async with speaking_tls_when_asked(authority.issue(*HOSTS, expired=True)) as port:
        url = f"postgresql+asyncpg://user:secret@127.0.0.1:{port}/runs"

        assert "certificate has expired); let it be renewed" in await refusal(url, files(authority))


async def test_a_server_without_tls_is_told(authority: Authority) -> None:
    async with speaking_tls_when_asked(None) as port:
        url = f"postgresql+asyncpg://user:secret@127.0.0.1:{port}/runs"

        told = await refusal(url, files(authority))

    assert "it does not speak TLS" in told
    assert "POINTSMAN_DATABASE_URL" in told


async def test_a_file_that_was_taken_away_is_told_by_its_setting(
    authority: Authority, url: str, tmp_path: Path
) -> None:
    told = await refusal(url, TlsFiles(ca=tmp_path / "gone", cert=authority.issue("client").key))

    assert "gone can't be read: No such file or directory" in told
    assert "see POINTSMAN_DATABASE_CA" in told
