"""Log events: fields, not prose, to standard error, as JSON lines or for people."""

import logging
import os
import sys

import structlog
from structlog.typing import Processor

from consumer.settings import LogFormat, LogLevel

# A library's own record of each frame or reconnect says nothing that our events don't.
_QUIET_LIBRARIES = ("aio_pika", "aiormq", "alembic", "sqlalchemy", "asyncio")


def configure_logs(log_format: LogFormat, level: LogLevel) -> None:
    """Set up structlog for this process; ``auto`` is for people on a terminal, JSON elsewhere."""
    for_people = log_format is LogFormat.CONSOLE or (
        log_format is LogFormat.AUTO and sys.stderr.isatty()
    )
    threshold = logging.getLevelNamesMapping()[level.value.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *_renderers(for_people=for_people),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.CRITICAL)
    for name in _QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _renderers(*, for_people: bool) -> list[Processor]:
    if for_people:
        return [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty() and not os.environ.get("NO_COLOR"),
                # not the one that shows variables: a password may be among them
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    return [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]
