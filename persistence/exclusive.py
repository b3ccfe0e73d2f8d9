"""One consumer at a time on a SQLite file.

SQLite has one lock for all of a database: a second consumer would only stand in the first one's
way, and nothing tells it that the first one's partitions are not its own.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from persistence.database import Database
from persistence.errors import DatabaseInUse

_SUFFIX = "-consumer.lock"


@contextmanager
def only_consumer(database: Database) -> Iterator[None]:
    """Be the only consumer on a SQLite file for as long as the block lasts; else change nothing.

    The lock is the operating system's: it is gone with the process, however that ends.

    Raises:
        DatabaseInUse: another process is the one.
    """
    file = database.file
    if file is None:
        yield
        return
    with Path(f"{file.resolve()}{_SUFFIX}").open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DatabaseInUse(str(file)) from None
        yield
