"""A consumer as a scraper sees it."""

import asyncio
import http.client
from dataclasses import dataclass

from deploy.servers.ports import LOOPBACK
from tests.soak.gauges import METRIC_SERIES, READY, Readings, of_consumer

_SECONDS_TO_ANSWER = 3.0


@dataclass(frozen=True, slots=True)
class MetricsGauge:
    """Scrapes one consumer."""

    number: int
    port: int

    async def read(self) -> Readings:
        """How many time series its metrics have, and whether it is ready."""
        try:
            lines = (await asyncio.to_thread(self._scrape)).splitlines()
        except (OSError, http.client.HTTPException):
            return {}
        values = dict(line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        found = {METRIC_SERIES: len(values), READY: float(values["pointsman_ready"])}
        return {of_consumer(column, self.number): value for column, value in found.items()}

    def _scrape(self) -> str:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=_SECONDS_TO_ANSWER)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        finally:
            connection.close()
