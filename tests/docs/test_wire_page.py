"""The page on the wire names every key and code that there is, and its example runs."""

import asyncio
import re
from collections.abc import Iterator
from typing import get_args

import pytest
from pydantic import BaseModel

from consumer.wire.body import CreateFlowRun, CreateTaskRun, RequestBody
from consumer.wire.decisions import Decision, RunSummary
from consumer.wire.names import Code
from docs.examples.ask import ask_to_start
from rules import DecisionCode, State
from rules.identifiers import uuid7
from tests.docs.pages import DOCS, page, rows, section
from tests.integration.processes import consuming, pointsman
from tests.servers.vhosts import Vhost

PAGE = page("wire.md")
DECISION = section(PAGE, "Body of a decision")


def keys(model: type[BaseModel], place: str = "") -> Iterator[str]:
    """The keys of a model, and of the models in it."""
    for name, field in model.model_fields.items():
        yield f"{place}{name}"
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from keys(inner, f"{place}{name}.")


def named(text: str, column: int = 0) -> list[str]:
    """What stands as code in a column of the text's tables."""
    return [name for row in rows(text) for name in re.findall(r"`([^`]+)`", row[column])]


def test_every_key_of_a_request_stands_there() -> None:
    created = {*keys(CreateFlowRun, "create."), *keys(CreateTaskRun, "create.")}
    assert set(named(section(PAGE, "Body"))) == {*keys(RequestBody), *created}


def test_every_key_of_a_decision_stands_there() -> None:
    assert set(named(DECISION)) == {*Decision.model_fields, *RunSummary.model_fields}
    state = next(row[1] for row in rows(DECISION) if row[0] == "`state`")
    assert set(re.findall(r"`([^`]+)`", state)) == set(State.model_fields)


def test_every_code_stands_there_once() -> None:
    assert sorted(named(section(PAGE, "Codes"))) == sorted({*Code, *DecisionCode})


def test_the_example_is_shown_as_it_is_run() -> None:
    module = (DOCS / "examples" / "ask.py").read_text(encoding="utf-8")
    assert f"```python\n{module}```\n" in PAGE


@pytest.fixture
async def settings(vhost: Vhost, sqlite_url: str) -> dict[str, str]:
    settings = {"amqp_url": vhost.url, "database_url": sqlite_url}
    ended = await pointsman("db", "upgrade", **settings)
    assert ended.code == 0, ended.err
    return settings


async def test_the_example_is_answered(settings: dict[str, str]) -> None:
    run_id = str(uuid7())
    async with consuming(**settings):
        decision = await asyncio.to_thread(ask_to_start, settings["amqp_url"], run_id)

    assert decision["decision"] == "accept"
    assert decision["run"]["id"] == run_id
    assert decision["state"]["type"] == "RUNNING"
