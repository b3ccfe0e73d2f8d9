import pytest

from tests.rules.world import World


@pytest.fixture
def world() -> World:
    return World()
