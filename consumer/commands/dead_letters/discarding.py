"""``pointsman dead-letters discard``."""

import asyncio
from collections.abc import Sequence

import click

from consumer.commands.dead_letters.choosing import Choice, choosing, named_letters
from consumer.commands.dead_letters.confirming import confirm, dry_run_option, yes_option
from consumer.commands.dead_letters.rows import COLUMNS, letter_row
from consumer.commands.dead_letters.telling import tell_left_out
from consumer.commands.output import json_option, print_line, print_rows
from consumer.commands.progress import advancing
from consumer.commands.storage import opened_database
from persistence.dead_letters.changing import discard_letters
from persistence.dead_letters.filters import LetterFilter
from persistence.dead_letters.listing import choose_letters, list_letters, portions
from persistence.dead_letters.values import ChosenLetter, RecordedLetter
from persistence.schema import LetterStatus
from rules.moments import utc_now

_NAMED = (LetterStatus.OPEN, LetterStatus.REPLAYING)


@click.command(name="discard")
@choosing(by_status=False)
@dry_run_option
@yes_option
@json_option
def discard_command(*, choice: Choice, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Say of open dead letters that nothing is to come of them.

    Those with these ids, or all that the options choose; --limit takes the oldest ones. They stay
    on record. A letter that a replay has left in the middle is discarded only by its id.
    """
    statuses = _NAMED if choice.named else (LetterStatus.OPEN,)
    chosen = asyncio.run(_chosen(choice, statuses))
    if dry_run:
        letters = asyncio.run(_read(chosen))
        print_rows([letter_row(letter) for letter in letters], COLUMNS, as_json=as_json)
        return
    if chosen and not choice.named and not yes:
        confirm(f"Discard {len(chosen)} letters?")
    discarded = asyncio.run(_discard(chosen, statuses))
    if as_json:
        print_rows([letter_row(letter) for letter in discarded], (), as_json=True)
    else:
        print_line(f"letters discarded: {len(discarded)}")


async def _chosen(choice: Choice, statuses: tuple[LetterStatus, ...]) -> list[ChosenLetter]:
    async with opened_database() as database:
        tell_left_out(await named_letters(database, choice), statuses)
        return await choose_letters(database, choice.among(*statuses), limit=choice.limit)


async def _read(chosen: Sequence[ChosenLetter]) -> list[RecordedLetter]:
    async with opened_database() as database:
        letters = []
        for ids in portions(chosen):
            letters += await list_letters(database, LetterFilter(ids=tuple(ids)))
    return sorted(letters, key=lambda letter: (letter.dead_at, letter.id))


async def _discard(
    chosen: Sequence[ChosenLetter], statuses: tuple[LetterStatus, ...]
) -> list[RecordedLetter]:
    discarded: list[RecordedLetter] = []
    async with opened_database() as database:
        with advancing("discarding", len(chosen)) as advance:
            for ids in portions(chosen):
                discarded += await discard_letters(database, ids, statuses, utc_now())
                advance(len(ids))
    return discarded
