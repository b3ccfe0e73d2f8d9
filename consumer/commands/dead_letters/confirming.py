"""Asked before many letters are changed at once."""

import sys

import click

yes_option = click.option("--yes", "-y", is_flag=True, help="Don't ask.")
dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Tell what would be done, and do nothing."
)


def confirm(question: str) -> None:
    """Ask on a terminal; where there is none, nobody could have said yes.

    Raises:
        UsageError: there is no terminal.
        Abort: the answer was no.
    """
    if not is_terminal():
        raise click.UsageError(
            "without a terminal to ask on, give --yes, or the ids of the letters"
        )
    click.confirm(question, abort=True, err=True)


def is_terminal() -> bool:
    """Whether somebody can answer."""
    return sys.stdin.isatty()
