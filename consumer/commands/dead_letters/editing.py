"""``pointsman dead-letters edit``."""

import asyncio
from typing import BinaryIO
from uuid import UUID

import click

from consumer.commands.dead_letters.choosing import NoSuchLetterError
from consumer.commands.dead_letters.rows import letter_row, set_out
from consumer.commands.output import json_option, print_line, print_rows
from consumer.commands.storage import opened_database
from consumer.dead_letters.replaying import edited_request
from consumer.errors import PointsmanError
from consumer.settings import Settings
from consumer.wire.reading import RequestReader
from consumer.wire.requests import Unreadable
from persistence.dead_letters.changing import edit_letter
from persistence.dead_letters.listing import read_letters
from persistence.dead_letters.values import FullLetter
from persistence.schema import LetterStatus
from rules.identifiers import uuid7
from rules.moments import utc_now


class CannotBeEditedError(PointsmanError):
    """A letter can't be given another body, or not this one."""


@click.command(name="edit")
@click.argument("letter_id", metavar="ID", type=click.UUID)
@click.option(
    "--body",
    "source",
    type=click.File("rb"),
    help="Take the body from this file, - for standard input, instead of an editor.",
)
@json_option
def edit_command(*, letter_id: UUID, source: BinaryIO | None, as_json: bool) -> None:
    """Give an open dead letter another body, with which it will be replayed.

    $EDITOR is opened on the body. The new one must be a request that a consumer can read. It will
    be replayed under an id of its own, as a request that nobody has sent before, since the old id
    belongs to the old body; where it forces a state, in the name of the user in
    POINTSMAN_AMQP_URL. The letter keeps its own body for the record; given that one again, it is
    no longer edited.
    """
    settings = Settings.from_environment()
    reader = RequestReader(settings.max_body_bytes, settings.reply_to_pattern)
    letter = asyncio.run(_open_letter(letter_id))
    request_id = str(uuid7())
    body = _edited(letter, reader, request_id) if source is None else source.read()
    if body is None:
        print_line("nothing was changed")
        return
    if reason := _why_refused(reader, body, request_id):
        raise CannotBeEditedError(f"the body was not saved: {reason}")
    edited = asyncio.run(_save(letter, body, request_id))
    if as_json:
        print_rows([letter_row(edited)], (), as_json=True)
    elif edited.is_edited:
        print_line(f"dead letter {letter_id} will be replayed as request {request_id}")
    else:
        print_line(f"dead letter {letter_id} has its own body again")


def _edited(letter: FullLetter, reader: RequestReader, request_id: str) -> bytes | None:
    """The body as it leaves the editor, None where it was left as it is."""
    body = letter.body if letter.edited_body is None else letter.edited_body
    text = set_out(body)
    if text is None:
        raise CannotBeEditedError("the body is not UTF-8: give another one with --body")
    text = text.rstrip("\n") + "\n"
    while (changed := click.edit(text, extension=".json", require_save=True)) is not None:
        reason = _why_refused(reader, changed.encode(), request_id)
        if reason is None or changed == text:
            return None if changed == text else changed.encode()
        click.echo(f"this is no request: {reason}", err=True)
        click.confirm("Edit it once more?", default=True, abort=True, err=True)
        text = changed
    return None


def _why_refused(reader: RequestReader, body: bytes, request_id: str) -> str | None:
    reading = edited_request(reader, body, request_id)
    return reading.reason if isinstance(reading, Unreadable) else None


async def _open_letter(letter_id: UUID) -> FullLetter:
    async with opened_database() as database:
        for letter in await read_letters(database, [letter_id]):
            if letter.status is not LetterStatus.OPEN:
                raise CannotBeEditedError(
                    f"dead letter {letter_id} is {letter.status.value}; only open ones are edited"
                )
            return letter
    raise NoSuchLetterError([letter_id])


async def _save(letter: FullLetter, body: bytes, request_id: str) -> FullLetter:
    is_own = body == letter.body and letter.request_id is not None
    async with opened_database() as database:
        saved = await edit_letter(
            database,
            letter.id,
            None if is_own else body,
            None if is_own else request_id,
            utc_now(),
        )
        if not saved:
            raise CannotBeEditedError(f"dead letter {letter.id} is no longer open")
        [edited] = await read_letters(database, [letter.id])
    return edited
