from collections.abc import Iterator, MutableSequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.rules.recording import Recorder
from tests.rules.world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture(autouse=True)
def events() -> Iterator[MutableSequence[Any]]:
    """What was logged, and not shown."""
    with capture_logs() as logged:
        yield logged
