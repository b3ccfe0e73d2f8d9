"""``pointsman decisions``: what is being decided."""

import asyncio
import sys
from uuid import UUID

import click
from rich.console import Console
from rich.text import Text

from consumer.broker.address import BrokerAddress
from consumer.commands.output import plain
from consumer.commands.parameters import MOST
from consumer.commands.streaming import LineWriter
from consumer.logs import configure_logs
from consumer.settings import Settings
from consumer.tailing.filters import DecisionFilter
from consumer.tailing.lines import json_line, parts
from consumer.tailing.subscription import Announced, listen
from consumer.wire.decisions import Verdict
from rules.runs import RunKind


@click.group(name="decisions")
def command() -> None:
    """Watch what is being decided."""


@command.command(name="tail")
@click.option("--kind", "kinds", multiple=True, type=click.Choice([each.value for each in RunKind]))
@click.option(
    "--decision", "decisions", multiple=True, type=click.Choice([each.value for each in Verdict])
)
@click.option("--code", "codes", multiple=True, help="Such as limit-reached; none for no code.")
@click.option("--run", "run_ids", multiple=True, type=click.UUID, help="Only this run's.")
@click.option("--limit", type=click.IntRange(1, MOST), help="End after so many.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def tail_command(
    *,
    kinds: tuple[str, ...],
    decisions: tuple[str, ...],
    codes: tuple[str, ...],
    run_ids: tuple[UUID, ...],
    limit: int | None,
    as_json: bool,
) -> None:
    """Print decisions as they are made, until Ctrl-C.

    Each of --kind, --decision, --code and --run can be given several times: one of them must fit.
    On a terminal a line tells when, which run, what was decided and why; elsewhere, or with --json,
    each line is a JSON object: the decision as published, with its routing_key besides. A decision
    that moved other runs along comes for each of these too.

    Nothing that was decided before is shown. When the broker goes away it is waited for; what is
    decided meanwhile is not shown either. A reader who falls 10,000 decisions behind misses the
    oldest.
    """
    settings = Settings.from_environment()
    configure_logs(settings.log_format, settings.log_level)
    chosen = DecisionFilter(kinds=kinds, decisions=decisions, codes=codes, run_ids=run_ids)
    asyncio.run(_tail(settings.broker, chosen, limit, as_json=as_json))


async def _tail(
    address: BrokerAddress, chosen: DecisionFilter, limit: int | None, *, as_json: bool
) -> None:
    """Listen until there were as many as wanted, or nobody reads any more."""
    writer = LineWriter(sys.stdout.fileno())
    reader = _Reader(writer, chosen, limit, as_json=as_json or not sys.stdout.isatty())
    listening = asyncio.ensure_future(listen(address, chosen.binding_keys(), reader))
    closed = asyncio.ensure_future(writer.closed.wait())
    try:
        await asyncio.wait({listening, closed}, return_when=asyncio.FIRST_COMPLETED)
        if listening.done():
            listening.result()
    finally:
        writer.stop()
        closed.cancel()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


class _Reader:
    """Whoever sits before standard output."""

    def __init__(
        self, writer: LineWriter, chosen: DecisionFilter, limit: int | None, *, as_json: bool
    ) -> None:
        self._writer = writer
        self._chosen = chosen
        self._left = limit
        self._as_json = as_json
        self._console = Console(highlight=False)

    async def take(self, announced: Announced) -> bool:
        """Print a decision that is wanted."""
        if not self._chosen.takes(announced.decision):
            return True
        await self._writer.write(self._line(announced))
        if self._left is not None:
            self._left -= 1
        return self._left != 0

    def listening(self) -> None:
        """Say that it begins, or goes on."""
        click.echo("listening for decisions", err=True)

    def interrupted(self, why: str) -> None:
        """Say that there is a gap."""
        click.echo(f"{why}; trying again, decisions made meanwhile are not shown", err=True)

    def _line(self, announced: Announced) -> str:
        if self._as_json:
            return json_line(announced)
        shown = Text("  ").join(Text(plain(each.text), each.style) for each in parts(announced))
        with self._console.capture() as captured:
            self._console.print(shown, soft_wrap=True, end="")
        return captured.get()
