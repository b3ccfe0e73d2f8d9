"""``pointsman db``: the database's schema, and what is kept in it."""

import asyncio

import click

from consumer.commands.output import print_line
from consumer.commands.pruning import prune_command
from consumer.settings import Settings
from persistence.address import DatabaseAddress
from persistence.database import open_database
from persistence.engine import database_url, shown
from persistence.migrating import upgrade


@click.group(name="db")
def command() -> None:
    """Look after the database."""


command.add_command(prune_command)


@command.command(name="upgrade")
def upgrade_command() -> None:
    """Bring the schema to what this version of Pointsman needs; the database itself must exist."""
    database = _database()
    revision = upgrade(database)
    print_line(f"the schema of {shown(database_url(database.url))} is at revision {revision}")


@command.command(name="check")
def check_command() -> None:
    """See that the database answers and its schema is what this version needs."""
    asyncio.run(_check(_database()))
    click.echo("the database answers, and its schema is what this version needs")


def _database() -> DatabaseAddress:
    return Settings.from_environment().database


async def _check(address: DatabaseAddress) -> None:
    async with open_database(address) as database:
        await database.check_schema()
