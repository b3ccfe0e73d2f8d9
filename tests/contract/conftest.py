"""The contract suite of ``TransactionalSession``: one suite over every kind of storage.

A kind is added by a fixture that yields a ``tests.contract.storage.Storage``, empty and of the
test's own, and by that fixture's name among the parameters here.
"""

import pytest

from tests.contract.storage import Storage
from tests.memory.storage import MemoryStorage


@pytest.fixture
def memory_storage() -> MemoryStorage:
    return MemoryStorage()


@pytest.fixture(params=["memory_storage"])
def storage(request: pytest.FixtureRequest) -> Storage:
    made: Storage = request.getfixturevalue(request.param)
    return made
