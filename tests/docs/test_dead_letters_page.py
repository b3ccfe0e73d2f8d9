"""The page on dead letters names every status and every way to choose letters."""

import click

from consumer.commands.dead_letters import command
from persistence.schema import LetterStatus
from tests.docs.pages import code, page, rows, section

TABLES = list(rows(section(page("dead-letters.md"), "Which letters")))


def told(start: str) -> set[str]:
    """The first words in the tables' first cells that begin like this."""
    names = (code(row[0]).split()[0] for row in TABLES)
    return {name for name in names if name.startswith(start)}


def options(name: str) -> set[str]:
    """The options of a command."""
    chosen = command.commands[name]
    return {
        option
        for parameter in chosen.params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
        if option.startswith("--")
    }


def test_every_status_stands_there() -> None:
    assert told("") - told("--") == set(LetterStatus)


def test_every_way_to_choose_letters_stands_there() -> None:
    assert told("--") == options("list") - {"--json"}
    assert told("--") - {"--status"} == options("replay") - {"--json", "--dry-run", "--yes"}
    assert options("discard") == options("replay")
    assert options("export") == told("--") | {"--output"}
