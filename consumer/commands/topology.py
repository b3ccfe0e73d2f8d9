"""``pointsman topology``: exchanges and queues on the broker."""

import asyncio

import click

from consumer.broker.connection import connect
from consumer.commands.output import json_option, print_rows
from consumer.errors import PointsmanError
from consumer.settings import Settings
from consumer.topology.check import Problem, check
from consumer.topology.declare import declare
from consumer.topology.description import describe
from consumer.topology.rows import Column, rows
from consumer.topology.values import Topology
from persistence.database import open_database
from persistence.topology import record_partitions

_CONNECTION_NAME = "pointsman topology"


@click.group(name="topology")
def command() -> None:
    """Declare, show or check the exchanges and queues."""


@command.command(name="declare")
def declare_command() -> None:
    """Make what is missing on the broker, and record the number of partitions."""
    settings = Settings.from_environment()
    topology = describe(settings.partitions)
    asyncio.run(_declare(settings, topology))
    click.echo(
        f"{len(topology.exchanges)} exchanges, {len(topology.queues)} queues and"
        f" {len(topology.bindings)} bindings stand, with {topology.partitions} partitions"
    )


@command.command(name="show")
@json_option
def show_command(*, as_json: bool) -> None:
    """Print what the settings ask for; the broker is not asked."""
    topology = describe(Settings.from_environment().partitions)
    print_rows(list(rows(topology)), [column.value for column in Column], as_json=as_json)


@command.command(name="check")
@json_option
def check_command(*, as_json: bool) -> None:
    """Compare the broker with the settings; nothing is made or changed."""
    settings = Settings.from_environment()
    problems = asyncio.run(_check(settings))
    if as_json or problems:
        told = [
            {"kind": problem.kind.value, "name": problem.name, "problem": problem.sentence}
            for problem in problems
        ]
        print_rows(told, ["kind", "problem"], as_json=as_json)
    else:
        click.echo("the broker's exchanges and queues are as the settings ask")
    if problems:
        raise PointsmanError(f"{len(problems)} differences between the broker and the settings")


async def _declare(settings: Settings, topology: Topology) -> None:
    async with open_database(settings.database) as database:
        await database.check_schema()
        await record_partitions(database, topology.partitions)
    connection = await connect(settings.broker, _CONNECTION_NAME)
    try:
        await declare(connection, topology)
    finally:
        await connection.close()


async def _check(settings: Settings) -> list[Problem]:
    connection = await connect(settings.broker, _CONNECTION_NAME)
    try:
        return await check(connection, describe(settings.partitions))
    finally:
        await connection.close()
