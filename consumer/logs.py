"""Log events: fields, not prose, to standard error, as JSON lines or for people."""

import logging
import os
import sys
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from consumer.libraries import quiet_libraries
from consumer.redaction import redacted
from consumer.settings import LogFormat, LogLevel

_PROCESSORS: list[Processor] = []
"""Changed in place, since loggers keep the list that there was when they were used first.

So all loggers of a process write in one format, also where it is set anew, as in tests.
"""


def configure_logs(log_format: LogFormat, level: LogLevel) -> None:
    """Set up structlog for this process; ``auto`` is for people on a terminal, JSON elsewhere."""
    for_people = log_format is LogFormat.CONSOLE or (
        log_format is LogFormat.AUTO and sys.stderr.isatty()
    )
    threshold = logging.getLevelNamesMapping()[level.value.upper()]
    _PROCESSORS[:] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        without_passwords,
        _renderer(for_people=for_people),
    ]
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(file=cast("TextIO", _StandardError())),
        cache_logger_on_first_use=True,
    )
    quiet_libraries()


class _StandardError:
    """Whatever is standard error at the moment: a logger outlives one that was put in its place."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def without_passwords(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Take passwords out of an event, of its traceback above all."""
    return {name: _redacted(value) for name, value in event.items()}


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, BaseException):
        return redacted(repr(value))
    if isinstance(value, dict):
        return {name: _redacted(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set):
        return [_redacted(each) for each in value]
    return value


def _renderer(*, for_people: bool) -> Processor:
    if for_people:
        return structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty() and not os.environ.get("NO_COLOR"),
            # not the one that shows variables: a password may be among them
            exception_formatter=structlog.dev.plain_traceback,
        )
    return structlog.processors.JSONRenderer()
