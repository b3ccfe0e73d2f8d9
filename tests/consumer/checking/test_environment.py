from typing import Any

import pytest

from consumer.checking.environment import (
    check_environment,
    masked_broker_url,
    masked_database_url,
    settings_in_effect,
)
from consumer.checking.findings import Finding
from consumer.settings import Settings

SECRET = "sesame"  # noqa: S105
SETTINGS: dict[str, Any] = {
    "amqp_url": f"amqps://user:{SECRET}@broker/%2Fvhost",
    "database_url": f"postgresql+asyncpg://user:{SECRET}@database/pointsman?ssl=require",
}


def findings(environment: dict[str, str] | None = None, **settings: Any) -> dict[str, Finding]:
    made = Settings.from_environment(**SETTINGS | settings)
    return {each.name: each for each in check_environment(made, environment or {})}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"amqp://user:{SECRET}@host:5673/vhost", "amqp://user:***@host:5673/vhost"),
        ("amqp://user@host", "amqp://user@host"),
        ("amqp://user@host?heartbeat=5", "amqp://user@host/?heartbeat=5"),
        (f"amqp://user@host?passwd={SECRET}&name=x", "amqp://user@host/?passwd=***&name=x"),
        (f"amqp://u:{SECRET}%2F{SECRET}@host/%2F", "amqp://u:***@host/%2F"),
    ],
)
def test_a_brokers_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert masked_broker_url(url) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"postgresql+asyncpg://u:{SECRET}@h/d?ssl=require", "u:***@h/d?ssl=require"),
        (f"postgresql+asyncpg://h/d?user=u&password={SECRET}", "password=***"),
        (f"postgresql+asyncpg://h/d?user=u&password={SECRET}", "user=u"),
        (f"postgresql+asyncpg://h/d?pwd={SECRET}", "pwd=***"),
        ("sqlite+aiosqlite:////folder/file.db", "////folder/file.db"),
    ],
)
def test_a_databases_url_is_shown_without_its_password_wherever_that_stands(
    url: str, shown: str
) -> None:
    masked = masked_database_url(url)
    assert shown in masked
    assert SECRET not in masked


def test_every_setting_is_shown_by_its_name() -> None:
    shown = settings_in_effect(Settings.from_environment(**SETTINGS, http_port=0))
    assert len(shown) == len(Settings.model_fields)
    assert shown["POINTSMAN_HTTP_PORT"] == 0
    assert SECRET not in str(shown)


def test_a_variable_that_is_no_setting_is_a_failure() -> None:
    found = findings({"POINTSMAN_PREFETHC": "1"})["settings"]
    assert found.ok is False
    assert found.details["unknown"] == [
        {"name": "POINTSMAN_PREFETHC", "did_you_mean": "POINTSMAN_PREFETCH"}
    ]
    assert findings()["settings"].ok


def test_a_policy_that_can_not_be_imported_is_a_failure() -> None:
    assert findings()["policies"].ok
    found = findings(task_policy="nowhere:Policy")["policies"]
    assert found.ok is False
    [line] = found.lines
    assert "POINTSMAN_TASK_POLICY" in line
