"""``pointsman dead-letters show``."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import click
from pydantic_core import from_json, to_json

from consumer.commands.dead_letters.choosing import NoSuchLetterError
from consumer.commands.dead_letters.rows import full_row, set_out
from consumer.commands.output import (
    Row,
    json_option,
    print_facts,
    print_line,
    print_rows,
    print_text,
)
from consumer.commands.storage import opened_database
from consumer.explaining.wording import moment
from persistence.dead_letters.listing import read_letters
from persistence.dead_letters.values import FullLetter
from persistence.history import request_decisions
from persistence.records import DecisionRecord
from persistence.schema import LetterStatus

_DECISION_COLUMNS = (
    "request_id",
    "attempt",
    "decision",
    "code",
    "rule",
    "user_id",
    "decided_at",
    "reason",
)
_BYTES_IN_A_LINE = 16
_INDENT = 2


@click.command(name="show")
@click.argument("letter_id", metavar="ID", type=click.UUID)
@json_option
def show_command(*, letter_id: UUID, as_json: bool) -> None:
    """Show a dead letter: why it died, the message as it was, and what was decided on its request.

    A body that is JSON is set out in lines, one that is not UTF-8 is shown in hexadecimal.
    """
    letter, decisions = asyncio.run(_read(letter_id))
    if as_json:
        told = [_decision_row(record) for record in decisions]
        print_rows([{**full_row(letter), "decisions": told}], (), as_json=True)
        return
    print_facts(f"dead letter {letter.id}", _facts(letter))
    _print_below("properties", to_json(letter.properties, indent=2).decode())
    _print_below("body", "\n".join(_readable(letter.body)))
    if letter.edited_body is not None:
        _print_below("edited body", "\n".join(_readable(letter.edited_body)))
    click.echo()
    if decisions:
        rows = [_decision_row(record) for record in decisions]
        print_rows(rows, _DECISION_COLUMNS, as_json=False)
    else:
        print_line("no decision is on record of its request")


async def _read(letter_id: UUID) -> tuple[FullLetter, Sequence[DecisionRecord]]:
    async with opened_database() as database:
        for letter in await read_letters(database, [letter_id]):
            named = {letter.request_id, letter.replay_request_id} - {None}
            return letter, await request_decisions(database, [str(each) for each in named])
    raise NoSuchLetterError([letter_id])


def _facts(letter: FullLetter) -> Mapping[str, Any]:
    return {
        "status": letter.status.value,
        "since": None if letter.closed_at is None else moment(letter.closed_at),
        "reason": letter.reason,
        "error": _error(letter),
        "died": moment(letter.dead_at),
        "recorded": moment(letter.recorded_at),
        "request": _attempt(letter.request_id, letter.attempt),
        "run": letter.run_id and f"{letter.run_kind} {letter.run_id}",
        "published to": letter.exchange and f"{letter.exchange}, routing key {letter.routing_key}",
        "consumer": letter.consumer,
        "edited": None if letter.edited_at is None else moment(letter.edited_at),
        _replay_named(letter): _attempt(letter.replay_request_id, letter.replay_attempt),
    }


def _replay_named(letter: FullLetter) -> str:
    if letter.status is not LetterStatus.OPEN:
        return "replayed as"
    return "to be replayed as" if letter.is_edited else "last replayed as"


def _error(letter: FullLetter) -> str | None:
    told = [each for each in (letter.error_type, letter.error) if each]
    return ": ".join(told) or None


def _attempt(request_id: str | None, attempt: int | None) -> str | None:
    return None if request_id is None else f"{request_id}, attempt {attempt or 0}"


def _print_below(heading: str, text: str) -> None:
    click.echo(f"\n{heading}")
    print_text(text, indent=_INDENT)


def _readable(body: bytes) -> Iterator[str]:
    """The body's lines, as far as a person can read it."""
    text = set_out(body)
    yield from _in_hexadecimal(body) if text is None else text.split("\n")


def _in_hexadecimal(body: bytes) -> Iterator[str]:
    for start in range(0, len(body), _BYTES_IN_A_LINE):
        piece = body[start : start + _BYTES_IN_A_LINE]
        shown = "".join(each if each.isprintable() else "." for each in piece.decode("latin-1"))
        yield f"{start:08x}  {piece.hex(' '):<{_BYTES_IN_A_LINE * 3}} {shown}"


def _decision_row(record: DecisionRecord) -> Row:
    body = from_json(record.body)
    return {
        "request_id": record.request_id,
        "attempt": record.attempt,
        "decision": record.decision,
        "code": record.code,
        "reason": body.get("reason"),
        "rule": record.rule,
        "user_id": record.user_id,
        "decided_at": record.decided_at,
        "forward": record.forward.value,
        "forwarded": record.forwarded,
        "error_type": record.error_type,
        "error": record.error,
        "body": body,
    }
