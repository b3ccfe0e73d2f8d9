"""The page of settings says what ``consumer.settings`` says."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from consumer.settings import PREFIX, Settings, default_database_url
from tests.docs.pages import code, page, rows

TOLD = {code(row[0]): row[1] for row in rows(page("settings.md"))}
NAMES = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]


def as_text(value: Any) -> str:
    """A default as the environment would have it, the user's own folder aside."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, SecretStr):
        own_folder = str(Path(default_database_url().partition(":///")[2]).parent)
        return value.get_secret_value().replace(own_folder, "…")
    return str(value)


def test_just_the_settings_that_there_are_stand_in_the_page() -> None:
    assert sorted(TOLD) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_stands_there_with_its_default(name: str) -> None:
    field = Settings.model_fields[name.removeprefix(PREFIX).lower()]
    default = as_text(field.get_default(call_default_factory=True))
    assert TOLD[name] == (f"`{default}`" if default else "*none*")
