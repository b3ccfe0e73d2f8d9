"""The ``pointsman`` command, and how its errors are told."""

import gc
import os
import sys
from importlib import import_module
from typing import Any

import click

from consumer.broker.errors import BrokerError
from consumer.commands.interrupts import INTERRUPTED, let_through, put_back
from consumer.errors import PointsmanError
from consumer.libraries import quiet_libraries
from consumer.redaction import redacted
from consumer.unknown_settings import unknown_settings
from persistence.errors import PersistenceError

_COMMANDS = {
    "check": "check",
    "consume": "consume",
    "db": "db",
    "dead-letters": "dead_letters",
    "decisions": "decisions",
    "demo": "demo",
    "limits": "limits",
    "propose": "propose",
    "runs": "runs",
    "topology": "topology",
}


# What is set to no effect is told by these among what they tell anyway: as events, as a finding.
_TELL_THEMSELVES = frozenset({"consume", "check"})


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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name, imported, and what is left of them."""
        for each in args:
            if not _is_utf8(each):
                raise click.UsageError(f"the argument {each!a} is not valid UTF-8", ctx)
        resolved = super().resolve_command(ctx, args)
        if not gc.isenabled():
            gc.freeze()  # what was imported stays, and is never looked through again
            gc.enable()
        let_through()
        return resolved

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what a person can mend ends it with one line and exit code 1 or 2."""
        try:
            with put_back():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            command = (error.ctx or ctx).command_path
            told = " ".join(error.format_message().split())
            stop = "" if told.endswith((".", "?", "!")) else "."
            raise click.UsageError(f"{told}{stop} See '{command} --help'.") from error
        except (PointsmanError, BrokerError, PersistenceError) as error:
            raise click.ClickException(redacted(" ".join(str(error).split()))) from error


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pointsman")
@click.pass_context
def cli(context: click.Context) -> None:
    """Pointsman decides, request by request, whether a run may change its state.

    Settings come from environment variables with the prefix POINTSMAN_ (see docs/settings.md).
    """
    quiet_libraries()
    if context.invoked_subcommand not in _TELL_THEMSELVES:
        for each in unknown_settings(os.environ):
            click.echo(f"Warning: {each.sentence}", err=True)


def _is_utf8(argument: str) -> bool:
    """Whether it was before Python made text of it, with what it could not read in surrogates."""
    return argument.encode(errors="replace").decode() == argument
