"""What the page lets each user of the database do, it can do, and nothing else."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import asyncpg
import pytest
from asyncpg import InsufficientPrivilegeError, PostgresError, ReadOnlySQLTransactionError
from yarl import URL

from consumer.client import Client
from deploy.servers import PostgresServer
from persistence.migrating import downgrade, upgrade
from persistence.schema import Base
from tests.docs.commands import blocks, statements
from tests.docs.pages import page, section
from tests.integration.processes import consuming, pointsman
from tests.integration.world import PARTITIONS, proposal
from tests.servers.vhosts import Vhost

DATABASE = "pointsman"
MIGRATIONS, CONSUMER, REPORTS = "pointsman_migrations", "pointsman_consumer", "pointsman_reports"
PASSWORD = "of-this-test"  # noqa: S105  and of its server

ANYWHERE, WITHIN, AFTERWARDS = (
    statements(block) for block in blocks(section(page("permissions.md"), "PostgreSQL"), "sql")
)
TO_BE_RID_OF = ("TRUNCATE % CASCADE", "DROP TABLE %", "CREATE INDEX ON % ((1))")
MODES = {
    "": ReadOnlySQLTransactionError,
    "SET TRANSACTION READ WRITE; ": InsufficientPrivilegeError,
}
TABLES = sorted(Base.metadata.tables)


@dataclass(frozen=True, slots=True)
class Granted:
    """A database made by the page's commands."""

    server: PostgresServer

    def url_of(self, user: str, database: str = DATABASE) -> str:
        """How a user connects."""
        url = URL(self.server.url_of(database))
        return str(url.with_user(user).with_password(PASSWORD))

    async def tries(self, user: str, statement: str, database: str = DATABASE) -> None:
        """Do it as the user, and take it back."""
        plain = self.url_of(user, database).replace("+asyncpg", "")
        connection = await asyncpg.connect(plain)
        transaction = connection.transaction()
        try:
            await transaction.start()
            await connection.execute(statement)
        finally:
            await connection.close()


@pytest.fixture(scope="module")
def granted(own_postgres: Callable[[], PostgresServer]) -> Iterator[Granted]:
    """A server of its own, since users are the whole server's."""
    server = own_postgres()
    for statement in ANYWHERE:
        server.run_sql(statement)
    server.run_sql("CREATE ROLE somebody LOGIN")
    for user in (MIGRATIONS, CONSUMER, REPORTS, "somebody"):
        server.run_sql(f"ALTER ROLE {user} PASSWORD '{PASSWORD}'")
    for statement in WITHIN:
        server.run_sql(statement, DATABASE)
    made = Granted(server)
    upgrade(made.url_of(MIGRATIONS))
    for statement in AFTERWARDS:
        server.run_sql(statement, DATABASE)
    yield made
    server.stop()


def test_the_user_for_migrations_goes_back_and_forth(granted: Granted) -> None:
    """As for a later version's changes; the consumer's rights come with the tables."""
    assert downgrade(granted.url_of(MIGRATIONS)) is None
    assert upgrade(granted.url_of(MIGRATIONS)) is not None


async def test_the_consumer_governs_and_operators_look_after_it(
    granted: Granted, vhost: Vhost
) -> None:
    settings = {
        "amqp_url": vhost.url,
        "database_url": granted.url_of(CONSUMER),
        "partitions": PARTITIONS,
        "task_policy": "tests.integration.faulty_policy:FaultyPolicy",
        "max_failures": 1,
    }
    async with consuming(**settings), Client.connected(vhost.url) as client:
        await client.send(proposal("COMPLETED", create={}, details={"cache_key": "one"}))
        assert (await client.decision())["decision"] == "accept"
        await client.send(proposal("PAUSED", create={}))
        assert (await client.decision())["code"] == "failed"
    for command in (
        "db check",
        "limits set one 1",
        "limits list",
        "limits delete one",
        "dead-letters list",
        "dead-letters discard --yes",
        "db prune",
    ):
        ended = await pointsman(*command.split(), **settings)
        assert (ended.code, ended.err) == (0, ""), command


@pytest.mark.parametrize("table", TABLES)
async def test_the_consumer_can_neither_change_nor_empty_a_table(
    granted: Granted, table: str
) -> None:
    for statement in ("ALTER TABLE % ADD COLUMN more text", *TO_BE_RID_OF):
        with pytest.raises(InsufficientPrivilegeError):
            await granted.tries(CONSUMER, statement.replace("%", table))


async def test_the_consumer_makes_nothing_and_leaves_the_schema_s_revision_alone(
    granted: Granted,
) -> None:
    for statement in (
        "CREATE TABLE own (id int)",
        "CREATE TEMP TABLE own (id int)",
        "CREATE SCHEMA own",
        "CREATE ROLE own",
        "UPDATE alembic_version SET version_num = 'r9999'",
        "DELETE FROM alembic_version",
        "INSERT INTO alembic_version VALUES ('r9999')",
    ):
        with pytest.raises(InsufficientPrivilegeError):
            await granted.tries(CONSUMER, statement)
    await granted.tries(CONSUMER, "SELECT * FROM alembic_version")


@pytest.mark.parametrize("table", [*TABLES, "alembic_version"])
async def test_reports_read_every_table_and_write_none(granted: Granted, table: str) -> None:
    await granted.tries(REPORTS, "SELECT * FROM %".replace("%", table))
    for statement in ("DELETE FROM %", "SELECT * FROM % FOR UPDATE", *TO_BE_RID_OF):
        for mode, refusal in MODES.items():
            with pytest.raises(refusal):
                await granted.tries(REPORTS, mode + statement.replace("%", table))


async def test_reports_make_nothing(granted: Granted) -> None:
    for statement in ("CREATE TABLE own (id int)", "CREATE TEMP TABLE own (id int)"):
        with pytest.raises(InsufficientPrivilegeError):
            await granted.tries(REPORTS, f"SET TRANSACTION READ WRITE; {statement}")


async def test_the_user_for_migrations_is_master_of_its_tables_only(granted: Granted) -> None:
    for statement in ("CREATE ROLE own", "CREATE SCHEMA own", f"ALTER ROLE {CONSUMER} SUPERUSER"):
        with pytest.raises(InsufficientPrivilegeError):
            await granted.tries(MIGRATIONS, statement)


async def test_nobody_else_enters_the_database(granted: Granted) -> None:
    with pytest.raises(PostgresError, match="permission denied for database"):
        await granted.tries("somebody", "SELECT 1")
