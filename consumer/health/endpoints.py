"""What is answered over HTTP: whether the process lives, whether it governs, and its metrics."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

import structlog
from pydantic_core import to_json

from consumer.health.http import Page, Pages
from consumer.health.metrics import CONTENT_TYPE, Metrics
from consumer.health.readiness import Readiness
from consumer.health.server import serving

log = structlog.get_logger(__name__)

LIVE = "/livez"
READY = "/readyz"
METRICS = "/metrics"

_JSON = "application/json"
_RENDERED_FOR_SECONDS = 0.5
_MAX_WHY_CHARACTERS = 500


@asynccontextmanager
async def health_served(host: str, port: int, metrics: Metrics) -> AsyncIterator[None]:
    """Serve all of it for as long as the block lasts; port 0 serves nothing.

    Raises:
        SettingsError: there is no such host here, or the port can't be had.
    """
    if port == 0:
        yield
        return
    async with serving(host, port, health_pages(metrics)):
        log.info("health-served", host=host, port=port)
        yield


def health_pages(metrics: Metrics) -> Pages:
    """The page at each path."""
    text = _kept(metrics.text, _RENDERED_FOR_SECONDS)
    return {
        LIVE: lambda: Page(body=b"alive\n"),
        READY: lambda: _ready(metrics.readiness),
        METRICS: lambda: Page(body=text(), content_type=CONTENT_TYPE),
    }


def _ready(readiness: Readiness) -> Page:
    reasons = [
        {
            "obstacle": obstacle.value,
            "why": hindrance.why[:_MAX_WHY_CHARACTERS],
            "since_seconds": round(readiness.seconds(obstacle), 1),
        }
        for obstacle, hindrance in readiness.hindrances.items()
    ]
    return Page(
        body=to_json({"ready": not reasons, "reasons": reasons}) + b"\n",
        content_type=_JSON,
        status=HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK,
    )


def _kept(make: Callable[[], bytes], seconds: float) -> Callable[[], bytes]:
    """The same text again to whoever asks too soon, since it takes milliseconds to make."""
    text, made_at = b"", -seconds

    def kept() -> bytes:
        nonlocal text, made_at
        if time.monotonic() - made_at >= seconds:
            text, made_at = make(), time.monotonic()
        return text

    return kept
