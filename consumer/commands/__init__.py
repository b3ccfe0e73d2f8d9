"""The command line: ``pointsman``."""

import gc
from importlib import import_module

from consumer.commands.interrupts import end_at_once
from consumer.redaction import redact_tracebacks


def main() -> None:
    """Run the command line and exit: 0, 1 (failed), 2 (usage) or 130 (Ctrl-C)."""
    end_at_once()
    redact_tracebacks()
    gc.disable()  # until the command is imported: little that imports make is garbage
    # Only now, since it imports most of what takes time to import.
    import_module("consumer.commands.group").cli()
