"""Clients of Prefect's HTTP server; runs in Prefect's environment, which has httpx.

Bare requests, since Prefect's own client takes more of the processors that the server needs too.
The argument is the URL of the server's API.
"""

import asyncio
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import uuid4

import httpx

from benchmarks.prefect.inside.orders import carry_out

_SECONDS = 60.0


async def _prepare(http: httpx.AsyncClient, count: int) -> Sequence[str]:
    """New task runs of a flow run that is running: those of another may not start."""
    flow = await _post(http, "/flows/", name=str(uuid4()))
    flow_run = await _post(http, "/flow_runs/", flow_id=flow["id"], state={"type": "RUNNING"})
    task_run = {"flow_run_id": flow_run["id"], "task_key": "bench"}
    made = [
        await _post(http, "/task_runs/", **task_run, dynamic_key=str(number))
        for number in range(count)
    ]
    return [each["id"] for each in made]


async def _propose(http: httpx.AsyncClient, task_run: str, step: str) -> None:
    result = await _post(http, f"/task_runs/{task_run}/set_state", state={"type": step})
    if result["status"] != "ACCEPT":
        raise RuntimeError(f"{step} was not accepted: {result['details']}")


async def _post(http: httpx.AsyncClient, path: str, **body: object) -> dict[str, Any]:
    response = await http.post(path, json=body)
    response.raise_for_status()
    answer: dict[str, Any] = response.json()
    return answer


async def _main(api: str) -> None:
    # No proxy that is meant for the world outside, and a connection for each client.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(
        base_url=api, limits=limits, timeout=_SECONDS, trust_env=False
    ) as http:
        await carry_out(partial(_prepare, http), partial(_propose, http))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
