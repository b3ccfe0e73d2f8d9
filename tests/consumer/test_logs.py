import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from consumer.logs import configure_logs
from consumer.settings import LogFormat, LogLevel

ESCAPE = "\x1b["


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    before = structlog.get_config()
    levels = {name: logging.getLogger(name).level for name in logging.root.manager.loggerDict}
    yield
    structlog.configure(**before)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize(("no_color", "colored"), [(None, True), ("", True), ("1", False)])
def test_no_color_takes_the_colors_from_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    no_color: str | None,
    *,
    colored: bool,
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)
    configure_logs(LogFormat.AUTO, LogLevel.INFO)
    structlog.get_logger().info("decided", run="one")
    told = capsys.readouterr().err
    assert "decided" in told
    assert (ESCAPE in told) is colored
