"""``pointsman dead-letters``: what could not be governed, and what is done about it."""

import click

from consumer.commands.dead_letters.discarding import discard_command
from consumer.commands.dead_letters.editing import edit_command
from consumer.commands.dead_letters.exporting import export_command
from consumer.commands.dead_letters.listing import groups_command, list_command
from consumer.commands.dead_letters.replaying import replay_command
from consumer.commands.dead_letters.showing import show_command


@click.group(name="dead-letters")
def command() -> None:
    """Look after what could not be governed."""


for _each in (
    list_command,
    groups_command,
    show_command,
    edit_command,
    replay_command,
    discard_command,
    export_command,
):
    command.add_command(_each)
