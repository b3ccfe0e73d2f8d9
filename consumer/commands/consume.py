"""``pointsman consume``."""

import os
import sys

import click
import structlog

from consumer.logs import configure_logs
from consumer.settings import Settings
from consumer.unknown_settings import unknown_settings
from consumer.worker.process import run_consumer

if sys.platform == "win32":
    from asyncio import run
else:
    from uvloop import run

log = structlog.get_logger(__name__)


@click.command(name="consume")
def command() -> None:
    """Govern requests until told to stop (SIGTERM or Ctrl-C; twice ends it at once).

    Declares the topology first. Needs the database's schema in place: pointsman db upgrade.
    """
    settings = Settings.from_environment()
    configure_logs(settings.log_format, settings.log_level)
    for each in unknown_settings(os.environ):
        log.warning("unknown-setting", setting=each.name, did_you_mean=each.likeness)
    run(run_consumer(settings))
