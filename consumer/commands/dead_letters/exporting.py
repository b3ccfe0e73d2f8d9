"""``pointsman dead-letters export``."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

import click
from pydantic_core import to_json

from consumer.commands.dead_letters.choosing import Choice, choosing, named_letters
from consumer.commands.dead_letters.rows import full_row
from consumer.commands.progress import advancing
from consumer.commands.storage import opened_database
from consumer.errors import PointsmanError
from persistence.dead_letters.listing import choose_letters, portions, read_letters


class NotWrittenError(PointsmanError):
    """The file can't be written."""


@click.command(name="export")
@choosing(by_status=True)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write, in place of standard output; it changes when all is written.",
)
def export_command(*, choice: Choice, output: Path | None) -> None:
    """Write dead letters as JSON, one in a line, with their bodies and properties.

    The bodies are in base 64, and as text too where they are UTF-8. The letters come in the order
    in which they died; --limit takes the oldest ones.
    """
    if output is None:
        asyncio.run(_export(choice, sys.stdout.buffer))
        return
    with _written(output) as file:
        asyncio.run(_export(choice, file))


async def _export(choice: Choice, file: IO[bytes]) -> None:
    async with opened_database() as database:
        await named_letters(database, choice)
        chosen = await choose_letters(database, choice.chosen, limit=choice.limit)
        with advancing("exporting", len(chosen)) as advance:
            for ids in portions(chosen):
                letters = await read_letters(database, ids)
                file.writelines(to_json(full_row(letter)) + b"\n" for letter in letters)
                advance(len(ids))


@contextmanager
def _written(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of the one at the path, unless an error comes in between."""
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=".letters-", delete=False) as file:
            try:
                yield file
                file.close()
                Path(file.name).replace(path)
            finally:
                Path(file.name).unlink(missing_ok=True)
    except OSError as error:
        raise NotWrittenError(f"{path} can't be written: {error.strerror}") from error
