"""How commands print: rows as a table or as one JSON array, facts as lines, on standard output."""

from collections.abc import Mapping, Sequence
from typing import Any

import click
from pydantic_core import to_json
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")

Row = Mapping[str, Any]

_UNBOUNDED = 1_000_000
"""The width where no terminal sets one: a row's values are then never broken across lines."""


def print_rows(rows: Sequence[Row], columns: Sequence[str], *, as_json: bool) -> None:
    """Print all rows: as JSON with every key, or as a table with these columns.

    A tuple is printed in its cell line by line. Where a terminal is too narrow for a table with
    whole ids, which are there to be copied, each row is printed as lines of its own.
    """
    if as_json:
        click.echo(to_json(list(rows), indent=2).decode())
        return
    table = _table(rows, columns)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _UNBOUNDED
    if rows and _breaks_ids(table, console):
        _print_one_by_one(rows, columns, console)
    else:
        console.print(table)


def _table(rows: Sequence[Row], columns: Sequence[str]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        is_id = column.endswith("id")
        table.add_column(column.replace("_", " "), overflow="fold", no_wrap=is_id)
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    return table


def _breaks_ids(table: Table, console: Console) -> bool:
    boundless = console.options.update(max_width=_UNBOUNDED)
    needed = Measurement.get(console, boundless, table).minimum
    return any(column.no_wrap for column in table.columns) and needed > console.width


def _print_one_by_one(rows: Sequence[Row], columns: Sequence[str], console: Console) -> None:
    """Lines are not broken here but by the terminal, which knows then that they are one."""
    width = max(map(len, columns))
    for number, row in enumerate(rows):
        if number:
            console.print()
        for column in columns:
            name = Text.assemble((f"{column.replace('_', ' '):<{width}}  ", "bold"))
            cell = _cell(row.get(column))
            for line in cell.split() or [cell]:
                console.print(name + line, soft_wrap=True)
                name = Text(" " * (width + 2))


def print_facts(heading: str, facts: Mapping[str, Any]) -> None:
    """Print a line, and below it one for each fact that there is: a name and a value."""
    click.echo(plain(heading))
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        if value is not None:
            click.echo(f"  {name:<{width}}  {_shown(value)}")


def print_line(text: str) -> None:
    """Print a line that may have words of strangers in it."""
    click.echo(plain(text))


def print_text(text: str, *, indent: int = 0) -> None:
    """Print lines as they stand, which may have words of strangers in them."""
    for line in text.split("\n"):
        click.echo(" " * indent + _visible(line))


def _cell(value: Any) -> Text:
    """The value as it is: no text of a stranger's is taken for markup or commands to a terminal."""
    if isinstance(value, Text):  # our own, with a colour
        return value
    if isinstance(value, tuple):
        return Text("\n".join(_shown(each) for each in value) or "-")
    return Text(_shown(value))


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return plain(", ".join(f"{key}={each}" for key, each in value.items())) or "-"
    return plain(str(value))


def plain(text: str) -> str:
    """The text as one line, with what can't be seen or could steer a terminal written out."""
    return _visible(" ".join(text.split()))


def _visible(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in line
    )
