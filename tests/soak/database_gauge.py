"""The database: sessions of the consumers, rows and bytes."""

import asyncpg

from tests.soak.gauges import DATABASE_BYTES, ROWS, SESSIONS, Readings

_CONNECT_SECONDS = 3.0
_SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pointsman'"
_BYTES = "SELECT pg_database_size(current_database())"
_ROWS = "SELECT relname, n_live_tup FROM pg_stat_user_tables"

TABLES = (
    "run",
    "run_state",
    "artifact",
    "decision",
    "begun",
    "dead_letter",
    "concurrency_slot",
    "cached_state",
)


class DatabaseGauge:
    """Reads over one session of its own, opened anew where it was lost."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("+asyncpg", "")
        self._connection: asyncpg.Connection | None = None

    async def read(self) -> Readings:
        """Sessions, bytes, and rows as the server estimates them."""
        try:
            return await self._read()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self.close()
            return {}
        except BaseException:  # out of time, with an answer still to come
            self.close()
            raise

    def close(self) -> None:
        """Drop the session."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _read(self) -> Readings:
        if self._connection is None:
            self._connection = await asyncpg.connect(self._url, timeout=_CONNECT_SECONDS)
        rows = {row["relname"]: row["n_live_tup"] for row in await self._connection.fetch(_ROWS)}
        return {
            SESSIONS: await self._connection.fetchval(_SESSIONS),
            DATABASE_BYTES: await self._connection.fetchval(_BYTES),
            **{f"{ROWS}{table}": rows[table] for table in TABLES if table in rows},
        }
