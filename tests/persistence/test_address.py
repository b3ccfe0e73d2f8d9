"""By which files TLS is spoken with a database, and what its URL has to say on it."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from persistence.address import DatabaseAddress, tls_arguments
from persistence.engine import check_tls, database_url
from persistence.errors import InvalidDatabaseUrlError
from persistence.tls import TlsFiles, TlsSetupError
from tests.servers.certificates import Authority, Held

URL = "postgresql+asyncpg://user:secret@host/runs"
SQLITE = "sqlite+aiosqlite:////tmp/pointsman.db"


@pytest.fixture
def held(authority: Authority) -> Held:
    return authority.issue("client")


def arguments(url: str, files: TlsFiles) -> dict[str, Any]:
    return tls_arguments(database_url(url), files)


def files_of(dsn: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(dsn).query)


def test_without_files_the_driver_is_told_nothing() -> None:
    assert arguments(URL, TlsFiles()) == {}


def test_any_file_asks_for_all_checks(authority: Authority, held: Held) -> None:
    for files in (TlsFiles(ca=authority.file), TlsFiles(cert=held.certificate, key=held.key)):
        assert arguments(URL, files)["ssl"] == "verify-full"


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_a_mode_in_the_url_stands(authority: Authority, mode: str) -> None:
    assert "ssl" not in arguments(f"{URL}?ssl={mode}", TlsFiles(ca=authority.file))


def test_the_driver_is_told_the_files(authority: Authority, held: Held) -> None:
    told = arguments(URL, TlsFiles(ca=authority.file, cert=held.certificate, key=held.key))

    assert files_of(told["dsn"]) == {
        "sslrootcert": [str(authority.file)],
        "sslcert": [str(held.certificate)],
        "sslkey": [str(held.key)],
    }


def test_a_certificate_without_a_key_beside_it_has_it_in_its_own_file(held: Held) -> None:
    """Else the driver would take the one in the user's home."""
    told = arguments(URL, TlsFiles(cert=held.certificate))

    assert files_of(told["dsn"])["sslkey"] == [str(held.certificate)]


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer"])
def test_a_ca_at_which_nobody_would_look_is_refused(authority: Authority, mode: str) -> None:
    address = DatabaseAddress(f"{URL}?ssl={mode}", TlsFiles(ca=authority.file))

    with pytest.raises(TlsSetupError, match=f"no effect with '.ssl={mode}'") as caught:
        check_tls(address)

    assert caught.value.part == "ca"


def test_a_certificate_goes_with_every_mode_but_none(held: Held) -> None:
    files = TlsFiles(cert=held.certificate, key=held.key)
    for mode in ("allow", "prefer", "require"):
        check_tls(DatabaseAddress(f"{URL}?ssl={mode}", files))

    with pytest.raises(TlsSetupError) as caught:
        check_tls(DatabaseAddress(f"{URL}?ssl=disable", files))

    assert caught.value.part == "cert"


@pytest.mark.parametrize("part", ["ca", "cert", "key"])
def test_a_sqlite_file_has_no_use_for_any(authority: Authority, part: str) -> None:
    with pytest.raises(TlsSetupError, match="SQLite") as caught:
        check_tls(DatabaseAddress(SQLITE, TlsFiles(**{part: authority.file})))

    assert caught.value.part == part


def test_a_url_that_can_not_be_used_is_told_as_such(authority: Authority) -> None:
    with pytest.raises(InvalidDatabaseUrlError):
        check_tls(DatabaseAddress(f"{URL}?sslmode=require", TlsFiles(ca=authority.file)))


def test_an_address_does_not_show_its_url() -> None:
    assert "secret" not in repr(DatabaseAddress(URL))
