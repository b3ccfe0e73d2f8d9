"""What libraries would say by themselves, which is nothing that our events and errors don't."""

import logging
import sys

# Each frame and each reconnect has a record of its own there.
_TALKATIVE = ("aio_pika", "aiormq", "alembic", "sqlalchemy", "asyncio")


def quiet_libraries() -> None:
    """Have nothing of theirs on standard error, where an error is one line of ours."""
    logging.basicConfig(stream=sys.stderr, level=logging.CRITICAL)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
