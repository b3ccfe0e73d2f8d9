"""``pointsman dead-letters list`` and ``groups``."""

import asyncio
from dataclasses import asdict

import click

from consumer.commands.dead_letters.choosing import Choice, choosing, named_letters
from consumer.commands.dead_letters.rows import COLUMNS, letter_row
from consumer.commands.output import json_option, print_line, print_rows
from consumer.commands.storage import opened_database
from persistence.dead_letters.listing import group_letters, list_letters
from persistence.dead_letters.values import LetterGroup, RecordedLetter

_GROUP_COLUMNS = (
    "letters",
    "status",
    "reason",
    "error_type",
    "run_kind",
    "rule",
    "oldest",
    "newest",
)


@click.command(name="list")
@choosing(by_status=True)
@json_option
def list_command(*, choice: Choice, as_json: bool) -> None:
    """List the dead letters on record, or those with these ids, the newest first.

    --limit lists the newest ones.
    """
    letters = asyncio.run(_list(choice))
    print_rows([letter_row(letter) for letter in letters], COLUMNS, as_json=as_json)


@click.command(name="groups")
@choosing(by_status=True)
@json_option
def groups_command(*, choice: Choice, as_json: bool) -> None:
    """Count the dead letters that died alike, most of them first.

    Alike are those with the same status, reason, type of error, kind of run, and rule that
    decided. With --limit the largest groups.
    """
    groups = asyncio.run(_groups(choice))
    if not groups and not as_json:
        print_line("there is no dead letter")
        return
    print_rows([asdict(group) for group in groups], _GROUP_COLUMNS, as_json=as_json)


async def _list(choice: Choice) -> list[RecordedLetter]:
    async with opened_database() as database:
        await named_letters(database, choice)
        return await list_letters(database, choice.chosen, limit=choice.limit)


async def _groups(choice: Choice) -> list[LetterGroup]:
    async with opened_database() as database:
        await named_letters(database, choice)
        return (await group_letters(database, choice.chosen))[: choice.limit]
