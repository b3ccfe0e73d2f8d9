import pytest

from persistence.database import open_database
from persistence.engine import open_engine
from persistence.errors import DatabaseUnreachable, InvalidDatabaseUrlError

POSTGRESQL = "postgresql+asyncpg://user@127.0.0.1:1/runs"
SQLITE = "sqlite+aiosqlite:///pointsman.db"


@pytest.mark.parametrize(
    ("url", "option"),
    [
        (f"{POSTGRESQL}?sslmode=require", "sslmode"),
        (f"{POSTGRESQL}?foo=secret", "foo"),
        (f"{POSTGRESQL}?ssl=require&statement_cache_size=0", "statement_cache_size"),
        (f"{POSTGRESQL}?prepared_statement_cache_size=secret", "prepared_statement_cache_size"),
        (f"{POSTGRESQL}?ssl=secret", "ssl"),
        (f"{POSTGRESQL}?ssl=require&ssl=disable", "ssl"),
        (f"{POSTGRESQL}?target_session_attrs=secret", "target_session_attrs"),
        (f"{POSTGRESQL}?port=secret", "port"),
        (f"{POSTGRESQL}?host=one:secret", "host"),
        (f"{SQLITE}?foo=secret", "foo"),
        (f"{SQLITE}?timeout=secret", "timeout"),
    ],
)
def test_an_option_that_the_driver_does_not_take_is_named(url: str, option: str) -> None:
    with pytest.raises(InvalidDatabaseUrlError, match=f"option '{option}'") as caught:
        open_engine(url)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        "ssl=require",
        "ssl=verify-full",
        "prepared_statement_cache_size=0",
        "target_session_attrs=read-write",
        "host=/nowhere/at/all",
        "passfile=/nowhere&krbsrvname=postgres",
    ],
)
async def test_what_the_driver_takes_goes_as_far_as_connecting(options: str) -> None:
    async with open_database(f"{POSTGRESQL}?{options}") as database:
        with pytest.raises(DatabaseUnreachable):
            await database.check_schema()


async def test_hosts_can_be_several() -> None:
    url = "postgresql+asyncpg://user@/runs?host=127.0.0.1:1&host=127.0.0.1:2"
    async with open_database(url) as database:
        with pytest.raises(DatabaseUnreachable):
            await database.check_schema()
