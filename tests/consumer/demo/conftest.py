import pytest

from tests.consumer.demo.world import World


@pytest.fixture
def world() -> World:
    return World()
