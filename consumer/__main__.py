"""``python -m consumer`` is the ``pointsman`` command."""

from consumer.commands import main

main()
