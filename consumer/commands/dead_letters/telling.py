"""Which letters a command leaves out, told on standard error."""

from collections.abc import Collection, Iterable

import click

from persistence.dead_letters.values import RecordedLetter
from persistence.schema import LetterStatus


def tell_left_out(named: Iterable[RecordedLetter], statuses: Collection[LetterStatus]) -> None:
    """Name the letters whose status says that something was done about them already."""
    for letter in named:
        if letter.status not in statuses:
            click.echo(f"left out: dead letter {letter.id} is {letter.status.value}", err=True)
