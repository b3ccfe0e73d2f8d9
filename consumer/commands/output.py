"""How commands print: rows as a table or as one JSON array, on standard output."""

from collections.abc import Mapping, Sequence
from typing import Any

import click
from pydantic_core import to_json
from rich.console import Console
from rich.table import Table

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")

Row = Mapping[str, Any]


def print_rows(rows: Sequence[Row], columns: Sequence[str], *, as_json: bool) -> None:
    """Print all rows: as JSON with every key, or as a table with these columns."""
    if as_json:
        click.echo(to_json(list(rows), indent=2).decode())
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    Console(highlight=False).print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
