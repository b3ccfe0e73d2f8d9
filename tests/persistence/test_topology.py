"""The number of partitions: the first declaration stands."""

import asyncio

import pytest

from persistence.database import Database
from persistence.errors import PartitionsDiffer
from persistence.topology import record_partitions, recorded_partitions


async def test_the_first_number_stands(database: Database) -> None:
    assert await recorded_partitions(database) is None
    await record_partitions(database, 8)
    await record_partitions(database, 8)

    with pytest.raises(PartitionsDiffer, match="POINTSMAN_PARTITIONS to 8") as caught:
        await record_partitions(database, 16)

    assert (caught.value.recorded, caught.value.wanted) == (8, 16)
    assert await recorded_partitions(database) == 8


async def test_of_two_first_declarations_at_once_one_stands(database: Database) -> None:
    answers = await asyncio.gather(
        *(record_partitions(database, number) for number in (4, 8)), return_exceptions=True
    )

    assert [type(answer) for answer in answers if answer] == [PartitionsDiffer]
    assert await recorded_partitions(database) in (4, 8)
