"""How commands print: rows as a table or as one JSON array, facts as lines, on standard output."""

from collections.abc import Mapping, Sequence
from typing import Any

import click
from pydantic_core import to_json
from rich.console import Console
from rich.table import Table
from rich.text import Text

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")

Row = Mapping[str, Any]

_UNBOUNDED = 1_000_000
"""The width where no terminal sets one: a row's values are then never broken across lines."""


def print_rows(rows: Sequence[Row], columns: Sequence[str], *, as_json: bool) -> None:
    """Print all rows: as JSON with every key, or as a table with these columns.

    A tuple is printed in its cell line by line.
    """
    if as_json:
        click.echo(to_json(list(rows), indent=2).decode())
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _UNBOUNDED
    console.print(table)


def print_facts(heading: str, facts: Mapping[str, Any]) -> None:
    """Print a line, and below it one for each fact that there is: a name and a value."""
    click.echo(_plain(heading))
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        if value is not None:
            click.echo(f"  {name:<{width}}  {_shown(value)}")


def print_line(text: str) -> None:
    """Print a line that may have words of strangers in it."""
    click.echo(_plain(text))


def _cell(value: Any) -> Text:
    """The value as it is: no text of a stranger's is taken for markup or commands to a terminal."""
    if isinstance(value, tuple):
        return Text("\n".join(_shown(each) for each in value) or "-")
    return Text(_shown(value))


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return _plain(", ".join(f"{key}={each}" for key, each in value.items())) or "-"
    return _plain(str(value))


def _plain(text: str) -> str:
    """One line, with what can't be seen or could steer a terminal written out."""
    line = " ".join(text.split())
    if line.isprintable():
        return line
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in line
    )
