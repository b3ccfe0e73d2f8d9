"""What goes wrong in the in-memory storage, for tests to provoke."""


class StorageBusyError(Exception):
    """A passing failure, as a deadlock is: repeated, the transaction may succeed."""


class NoSqlError(Exception):
    """A rule asked for SQL where there is none."""

    def __init__(self) -> None:
        super().__init__("the in-memory session has no SQL: test this rule over a real database")
