"""``pointsman demo``."""

import asyncio
import signal
import sys
from urllib.parse import urlsplit

import click
from rich.console import Console

from consumer.demo.errors import ConsumerFailedError, DemoError, StoppedError
from consumer.demo.screens import screen_for
from consumer.demo.showing import Result, give
from consumer.demo.summary import summary
from consumer.logs import configure_logs
from consumer.settings import Settings

_SIGNALLED = 128  # what a shell adds to a signal's number to make an exit code of it
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@click.command(name="demo")
def command() -> None:
    """Watch a small world being governed, with a consumer of the demo's own.

    Brings the database's schema up to date first. Takes about a quarter of a minute; exit code 0
    where all went as it must. A virtual host with a consumer at work is refused.
    """
    settings = Settings.from_environment()
    configure_logs(settings.log_format, settings.log_level)
    console = Console(highlight=False)
    click.echo("Bringing the schema up to date, starting a consumer ...", err=True)
    try:
        result = asyncio.run(_give(settings, console))
    except ConsumerFailedError as error:
        for line in error.log_lines:
            click.echo(line, err=True)
        raise
    except StoppedError as stopped:
        click.echo(stopped, err=True)
        sys.exit(_SIGNALLED + stopped.received)
    console.print()
    console.print(summary(result.figures))
    if result.disappointments:
        first, *others = result.disappointments
        raise DemoError(f"{first}, and {len(others)} more" if others else first)


async def _give(settings: Settings, console: Console) -> Result:
    """Give a showing; a signal ends it early and with order."""
    showing = asyncio.create_task(give(settings, screen_for(console, _headline(settings))))
    received: list[signal.Signals] = []

    def on_signal(number: signal.Signals) -> None:
        received.append(number)
        showing.cancel()

    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, on_signal, number)
    try:
        return await showing
    except asyncio.CancelledError:
        raise StoppedError(received[0]) from None


def _headline(settings: Settings) -> str:
    """Where the showing takes place, without passwords."""
    broker = urlsplit(settings.amqp_url.get_secret_value())
    port = f":{broker.port}" if broker.port else ""
    database = urlsplit(settings.database_url.get_secret_value()).scheme.partition("+")[0]
    return f"on {broker.hostname}{port}{broker.path} with {database}"
