"""The ``pointsman`` command, and how its errors are told."""

import sys
from importlib import import_module
from typing import Any

import click

from consumer.broker.errors import BrokerError
from consumer.errors import PointsmanError
from persistence.errors import PersistenceError

_COMMANDS = {
    "consume": "consume",
    "db": "db",
    "dead-letters": "dead_letters",
    "demo": "demo",
    "limits": "limits",
    "propose": "propose",
    "runs": "runs",
    "topology": "topology",
}


class CommandGroup(click.Group):
    """Loads a command when it is asked for, and tells expected errors in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command's name, in order."""
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, None where there is none."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"consumer.commands.{_COMMANDS[cmd_name]}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what a person can mend ends it with one line and exit code 1 or 2."""
        try:
            return super().invoke(ctx)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            command = (error.ctx or ctx).command_path
            told = f"{error.format_message()} See '{command} --help'."
            raise click.UsageError(" ".join(told.split())) from error
        except (PointsmanError, BrokerError, PersistenceError) as error:
            raise click.ClickException(" ".join(str(error).split())) from error


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pointsman")
def cli() -> None:
    """Pointsman decides, request by request, whether a run may change its state.

    Settings come from environment variables with the prefix POINTSMAN_ (see docs/settings.md).
    """


def main() -> None:
    """Run the command line and exit: 0, 1 (failed) or 2 (usage)."""
    sys.exit(cli())
