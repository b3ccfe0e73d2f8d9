"""The command line: ``pointsman``."""

from consumer.commands.group import main

__all__ = ["main"]
