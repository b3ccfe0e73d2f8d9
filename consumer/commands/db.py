"""``pointsman db``: the database's schema."""

import asyncio

import click

from consumer.commands.output import print_line
from consumer.settings import Settings
from persistence.database import open_database
from persistence.engine import database_url, shown
from persistence.migrating import upgrade


@click.group(name="db")
def command() -> None:
    """Look after the database."""


@command.command(name="upgrade")
def upgrade_command() -> None:
    """Bring the schema to what this version of Pointsman needs; the database itself must exist."""
    url = _url()
    revision = upgrade(url)
    print_line(f"the schema of {shown(database_url(url))} is at revision {revision}")


@command.command(name="check")
def check_command() -> None:
    """See that the database answers and its schema is what this version needs."""
    asyncio.run(_check(_url()))
    click.echo("the database answers, and its schema is what this version needs")


def _url() -> str:
    return Settings.from_environment().database_url.get_secret_value()


async def _check(url: str) -> None:
    async with open_database(url) as database:
        await database.check_schema()
