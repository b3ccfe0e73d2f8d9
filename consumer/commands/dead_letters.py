"""``pointsman dead-letters``: what could not be governed."""

import asyncio
from datetime import timedelta
from uuid import UUID

import click

from consumer.commands.output import Row, json_option, print_rows
from consumer.commands.parameters import CENTURY_SECONDS, MOST, Number
from consumer.commands.storage import opened_database
from persistence.dead_letters import LetterFilter, RecordedLetter, list_letters
from persistence.schema import LetterStatus
from rules.moments import utc_now

_COLUMNS = ("id", "status", "reason", "request_id", "run_id", "error", "dead_at")


@click.group(name="dead-letters")
def command() -> None:
    """Look after what could not be governed."""


@command.command(name="list")
@click.option("--status", type=click.Choice([each.value for each in LetterStatus]))
@click.option("--reason", help="The code, such as invalid or rule-error.")
@click.option("--run", "run_id", type=click.UUID, help="Only this run's.")
@click.option(
    "--since",
    type=Number(0, CENTURY_SECONDS / 3_600),
    metavar="HOURS",
    help="Only those of the last so many hours.",
)
@click.option("--limit", type=click.IntRange(1, MOST), help="At most so many, the newest ones.")
@json_option
def list_command(
    *,
    status: str | None,
    reason: str | None,
    run_id: UUID | None,
    since: float | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """List the dead letters on record, the newest first."""
    chosen = LetterFilter(
        status=LetterStatus(status) if status else None,
        reason=reason,
        run_id=run_id,
        died_since=utc_now() - timedelta(hours=since) if since is not None else None,
    )
    letters = asyncio.run(_list(chosen, limit))
    print_rows([_row(letter) for letter in letters], _COLUMNS, as_json=as_json)


async def _list(chosen: LetterFilter, limit: int | None) -> list[RecordedLetter]:
    async with opened_database() as database:
        return await list_letters(database, chosen, limit=limit)


def _row(letter: RecordedLetter) -> Row:
    return {
        "id": letter.id,
        "status": letter.status.value,
        "reason": letter.reason,
        "error_type": letter.error_type,
        "error": letter.error,
        "request_id": letter.request_id,
        "attempt": letter.attempt,
        "run_kind": letter.run_kind,
        "run_id": letter.run_id,
        "exchange": letter.exchange,
        "routing_key": letter.routing_key,
        "consumer": letter.consumer,
        "attempts": letter.attempts,
        "dead_at": letter.dead_at,
        "recorded_at": letter.recorded_at,
        "closed_at": letter.closed_at,
    }
