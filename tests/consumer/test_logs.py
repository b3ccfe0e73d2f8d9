import json
import logging
import sys
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog

from consumer.logs import configure_logs
from consumer.settings import LogFormat, LogLevel

ESCAPE = "\x1b["


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    before = structlog.get_config()
    processors = list(before["processors"])
    levels = {name: logging.getLogger(name).level for name in logging.root.manager.loggerDict}
    yield
    before["processors"][:] = processors
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


@pytest.mark.parametrize("log_format", [LogFormat.JSON, LogFormat.CONSOLE])
def test_no_password_comes_out_in_an_event_or_in_what_an_error_came_from(
    capsys: pytest.CaptureFixture[str], log_format: LogFormat
) -> None:
    configure_logs(log_format, LogLevel.DEBUG)
    url = "postgresql+asyncpg://user:s3cret@host/db"
    log = structlog.get_logger()
    error = ValueError("connect(host='h', password='s3cret')")
    error.__cause__ = ConnectionError(f"no way to {url}")

    log.debug("failed", exc_info=error, error=error, urls=[url, {"url": url}], number=7)
    log.warning("failed", exc_info=error)

    told = capsys.readouterr().err

    assert told.count("no way to postgresql+asyncpg://***@host/db") == 2
    assert "number" in told
    assert "s3cret" not in told


def test_a_logger_that_was_used_before_writes_to_what_standard_error_is_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configure_logs(LogFormat.JSON, LogLevel.INFO)
    log = structlog.get_logger("test")
    for name in ("first", "second"):
        with monkeypatch.context() as patched, StringIO() as now:
            patched.setattr("sys.stderr", now)
            log.info(name)
            assert json.loads(now.getvalue())["event"] == name


def test_a_logger_that_was_used_before_writes_as_was_said_last(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs(LogFormat.CONSOLE, LogLevel.INFO)
    logger = structlog.get_logger().bind()
    logger.info("asked")
    configure_logs(LogFormat.JSON, LogLevel.INFO)
    logger.info("decided")

    *_, last = capsys.readouterr().err.splitlines()
    assert json.loads(last)["event"] == "decided"
