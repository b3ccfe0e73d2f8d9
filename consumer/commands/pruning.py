"""``pointsman db prune``."""

import asyncio
from collections import Counter
from datetime import timedelta

import click
from rich.console import Console

from consumer.commands.output import json_option, print_rows
from consumer.commands.parameters import Age
from consumer.commands.storage import opened_database
from consumer.settings import Settings
from persistence.pruning import Forgotten, prune
from rules.moments import utc_now

_COLUMNS = ("what", "found", "deleted")


@click.command(name="prune")
@click.option(
    "--older-than",
    type=Age(),
    metavar="AGE",
    help="Such as 30d; POINTSMAN_REMEMBER_DAYS where it is left out, and never less than that.",
)
@click.option("--dry-run", is_flag=True, help="Tell what would be deleted, and delete nothing.")
@json_option
def prune_command(*, older_than: timedelta | None, dry_run: bool, as_json: bool) -> None:
    """Delete what nobody will ask for again, a thousand at a time.

    These are the decisions on requests that were last decided before that, dead letters that were
    closed and cached results that expired before that. Requests that still wait, and those with an
    open dead letter, stay; so do runs and their states.
    """
    remembered = timedelta(days=Settings.from_environment().remember_days)
    age = remembered if older_than is None else older_than
    if age < remembered:
        raise click.UsageError(
            f"requests are remembered for {remembered.days} days (POINTSMAN_REMEMBER_DAYS),"
            " so that one that is sent again is not decided again; --older-than can't be less"
        )
    found = asyncio.run(_prune(age, dry_run=dry_run))
    rows = [
        {"what": each.value, "found": found[each], "deleted": 0 if dry_run else found[each]}
        for each in Forgotten
    ]
    print_rows(rows, _COLUMNS, as_json=as_json)


async def _prune(age: timedelta, *, dry_run: bool) -> Counter[Forgotten]:
    found: Counter[Forgotten] = Counter()
    with Console(stderr=True).status("looking for what is old") as status:
        async with opened_database() as database:
            async for step in prune(database, utc_now() - age, dry_run=dry_run):
                found[step.what] += step.count
                status.update(", ".join(f"{what.value}: {found[what]}" for what in found))
    return found
