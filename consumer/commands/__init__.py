"""The command line: ``pointsman``."""

from importlib import import_module

from consumer.commands.interrupts import end_at_once


def main() -> None:
    """Run the command line and exit: 0, 1 (failed), 2 (usage) or 130 (Ctrl-C)."""
    end_at_once()
    # Only now, since it imports most of what takes time to import.
    import_module("consumer.commands.group").cli()
