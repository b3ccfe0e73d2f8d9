"""``pointsman consume``."""

import asyncio

import click

from consumer.logs import configure_logs
from consumer.settings import Settings
from consumer.worker.process import run_consumer


@click.command(name="consume")
def command() -> None:
    """Govern requests until told to stop (SIGTERM or Ctrl-C; twice ends it at once).

    Declares the topology first. Needs the database's schema in place: pointsman db upgrade.
    """
    settings = Settings.from_environment()
    configure_logs(settings.log_format, settings.log_level)
    asyncio.run(run_consumer(settings))
