"""What the package says of an error, and an impatient database to provoke errors on."""

from collections.abc import Awaitable, Callable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.engine import TimeLimits
from persistence.errors import is_duplicate, is_lost, is_refused, is_transient, is_unusable

LOCK = "SELECT 1 FROM run WHERE id = :id FOR UPDATE"
HASTY = TimeLimits(
    connect_seconds=5,
    lock_seconds=0.5,
    statement_seconds=1,
    answer_seconds=3,
    idle_in_transaction_seconds=0.5,
    busy_seconds=0.5,
)


def told(error: BaseException) -> str:
    """What the package says of an error; never two things."""
    says = {
        "transient": is_transient,
        "lost": is_lost,
        "unusable": is_unusable,
        "duplicate": is_duplicate,
        "refused": is_refused,
    }
    return " and ".join(name for name, ask in says.items() if ask(error)) or "nothing"


async def what_is_told(doing: Callable[[], Awaitable[object]]) -> str:
    try:
        await doing()
    except Exception as error:  # noqa: BLE001  that is what is asked about
        return told(error)
    return "no error"


async def run_sql(connection: AsyncConnection, statement: str, **values: object) -> None:
    await connection.execute(text(statement), values)
