"""What can be seen of the database."""

from collections import Counter
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError

from consumer.checking.environment import masked_database_url
from consumer.checking.findings import Finding, failed, unknown
from persistence.address import DatabaseAddress
from persistence.database import Database, open_database
from persistence.dead_letters.filters import LetterFilter
from persistence.dead_letters.listing import group_letters
from persistence.errors import PartitionsDiffer, PersistenceError
from persistence.probing import can_be_used, server_version
from persistence.revisions import EXPECTED_REVISION, check_revision
from persistence.schema import LetterStatus
from persistence.topology import recorded_partitions

DATABASE = "database"
SCHEMA = "schema"
TABLES = "tables"
PARTITION_COUNT = "partition-count"
DEAD_LETTERS = "dead-letters"

_IN_THE_SCHEMA = (TABLES, PARTITION_COUNT, DEAD_LETTERS)
_UNFINISHED = (LetterStatus.OPEN, LetterStatus.REPLAYING)


async def check_database(address: DatabaseAddress, partitions: int) -> list[Finding]:
    """Everything about the database; where it can't be reached, that."""
    others = (SCHEMA, *_IN_THE_SCHEMA)
    try:
        async with open_database(address) as database:
            if database.file is not None and not database.file.exists():
                why = f"there is no file {database.file} yet; run 'pointsman db upgrade'"
                return [failed(DATABASE, why), *unknown(others, "there is no database to ask")]
            version = await server_version(database)
            reached = Finding(
                DATABASE,
                ok=True,
                lines=(version,),
                details={"url": masked_database_url(address.url), "version": version},
            )
            return [reached, *await _look(database, partitions)]
    except (PersistenceError, DBAPIError, TimeoutError) as error:
        return [failed(DATABASE, _why(error)), *unknown(others, "there is no database to ask")]


async def _look(database: Database, partitions: int) -> list[Finding]:
    revision = await database.revision()
    details = {"revision": revision, "needed": EXPECTED_REVISION}
    try:
        check_revision(revision)
    except PersistenceError as error:
        schema = Finding(SCHEMA, ok=False, lines=(str(error),), details=details)
        return [schema, *unknown(_IN_THE_SCHEMA, "there is no such schema to ask")]
    return [
        Finding(SCHEMA, ok=True, lines=(f"at revision {revision}",), details=details),
        await _tables(database),
        await _partition_count(database, partitions),
        await _dead_letters(database),
    ]


async def _tables(database: Database) -> Finding:
    try:
        await can_be_used(database)
    except (PersistenceError, DBAPIError, TimeoutError) as error:
        return failed(TABLES, f"they can't be read and written: {_why(error)}")
    return Finding(TABLES, ok=True, lines=("all can be read and written",))


async def _partition_count(database: Database, partitions: int) -> Finding:
    try:
        recorded = await recorded_partitions(database)
    except DBAPIError as error:
        return failed(PARTITION_COUNT, _why(error))
    ok: bool | None
    if recorded is None:
        ok, line = None, "none on record; 'pointsman topology declare' or a consumer puts it there"
    elif recorded != partitions:
        ok, line = False, str(PartitionsDiffer(recorded, partitions))
    else:
        ok, line = True, f"{partitions}, as is on record"
    return Finding(PARTITION_COUNT, ok, (line,), {"recorded": recorded, "set": partitions})


async def _dead_letters(database: Database) -> Finding:
    try:
        groups = await group_letters(database, LetterFilter(statuses=_UNFINISHED))
    except DBAPIError as error:
        return failed(DEAD_LETTERS, _why(error))
    counted = {status: Counter[str]() for status in _UNFINISHED}
    for group in groups:
        counted[group.status][group.reason] += group.letters
    return Finding(
        DEAD_LETTERS,
        ok=True,
        lines=tuple(_letter_lines(counted)) or ("none is open",),
        details={status.value: dict(reasons) for status, reasons in counted.items()},
    )


def _letter_lines(counted: dict[LetterStatus, Counter[str]]) -> Iterator[str]:
    for status, reasons in counted.items():
        if reasons:
            told = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
            yield f"{status.value}: {told}; see 'pointsman dead-letters groups'"


def _why(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return str(cause).partition("\n")[0] or "it does not answer"
