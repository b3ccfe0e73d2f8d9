"""How a consumer's end is judged."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.servers.watch import Watch
from tests.chaos.fleet import Fleet

NOWHERE = {"amqp_url": "amqp://127.0.0.1:1/", "database_url": "nonsense"}


@pytest.fixture
def watch() -> Iterator[Watch]:
    with Watch() as watching:
        yield watching


async def test_one_that_says_why_it_cannot_start_has_not_crashed(
    tmp_path: Path, watch: Watch
) -> None:
    [post] = Fleet([NOWHERE], tmp_path, watch).posts
    await post.fill(watch)
    assert post.crashes == []
    assert "POINTSMAN_DATABASE_URL" in (tmp_path / "consumer-0-1.log").read_text()


async def test_one_that_ends_with_a_traceback_has_crashed(tmp_path: Path, watch: Watch) -> None:
    fleet = Fleet([NOWHERE], tmp_path, watch)
    [post] = fleet.posts
    post.judge(1, b'{"event": "x"}\nTraceback (most recent call last):\n  here\n')
    [crash] = fleet.crashes
    assert crash.code == 1
    assert crash.log.startswith("Traceback")


@pytest.mark.parametrize("code", [0, 1, -signal.SIGSEGV])
async def test_one_that_served_may_not_end_by_itself(
    tmp_path: Path, watch: Watch, code: int
) -> None:
    [post] = Fleet([NOWHERE], tmp_path, watch).posts
    post.judge(code, b'{"event": "consuming"}\n')
    assert [crash.code for crash in post.crashes] == [code]


async def test_one_that_was_killed_may_end_anywhere(tmp_path: Path, watch: Watch) -> None:
    [post] = Fleet([NOWHERE], tmp_path, watch).posts
    post.judge(-signal.SIGKILL, b'{"event": "consuming"}\n{"event": "dec')
    assert post.crashes == []
