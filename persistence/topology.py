"""The number of partitions, fixed when the topology is first declared."""

from sqlalchemy import select

from persistence.database import Database
from persistence.errors import PartitionsDiffer
from persistence.inserting import insert_into
from persistence.schema import TopologyRow, table_of

_TOPOLOGY = table_of(TopologyRow)
_PARTITIONS = "partitions"
_RECORDED = select(_TOPOLOGY.c.value).where(_TOPOLOGY.c.name == _PARTITIONS)


async def recorded_partitions(database: Database) -> int | None:
    """The recorded number, None before the first declaration."""
    async with database.reading() as connection:
        return (await connection.execute(_RECORDED)).scalar()


async def record_partitions(database: Database, partitions: int) -> None:
    """Record the number where none is recorded yet.

    Raises:
        PartitionsDiffer: another number is.
    """
    async with database.writing() as connection:
        insert = insert_into(connection, _TOPOLOGY).on_conflict_do_nothing()
        await connection.execute(insert, {"name": _PARTITIONS, "value": partitions})
        recorded = (await connection.execute(_RECORDED)).scalar_one()
    if recorded != partitions:
        raise PartitionsDiffer(recorded, partitions)
