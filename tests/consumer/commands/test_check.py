import json

import pytest

from tests.consumer.commands.conftest import Invoke

NOBODY = "amqp://guest:sesame@127.0.0.1:1/"
NO_DATABASE = "postgresql+asyncpg://postgres:sesame@127.0.0.1:1/postgres"


@pytest.fixture
def all_away(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    monkeypatch.setenv("POINTSMAN_AMQP_URL", NOBODY)
    monkeypatch.setenv("POINTSMAN_DATABASE_URL", NO_DATABASE)
    return invoke


def test_where_all_is_away_that_is_told_and_the_rest_shown(all_away: Invoke) -> None:
    result = all_away("check")
    assert result.exit_code == 1
    found = {line.split()[0]: line.split()[1] for line in result.stdout.splitlines() if line}
    assert (found["broker"], found["database"]) == ("FAILED", "FAILED")
    assert (found["settings"], found["topology"]) == ("ok", "unknown")
    assert found["POINTSMAN_AMQP_URL"] == "amqp://guest:***@127.0.0.1:1/"
    assert result.stderr == "Error: not as it should be: broker, database\n"
    assert "sesame" not in result.output


def test_as_json_it_is_one_array_of_rows(all_away: Invoke) -> None:
    result = all_away("check", "--json")
    assert result.exit_code == 1
    rows = json.loads(result.stdout)
    assert {tuple(row) for row in rows} == {("name", "ok", "details")}
    assert {row["name"]: row["ok"] for row in rows}["partitions"] is None
    assert "sesame" not in result.output


def test_a_variable_that_is_no_setting_is_a_finding(
    all_away: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINTSMAN_PREFETHC", "1")
    result = all_away("check")
    [line] = [line for line in result.stdout.splitlines() if line.startswith("settings")]
    assert "FAILED" in line
    assert "did you mean POINTSMAN_PREFETCH?" in line
    assert "Warning" not in result.stderr


def test_a_value_that_can_not_be_used_is_told_alone(
    all_away: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINTSMAN_HTTP_PORT", "65536")
    result = all_away("check")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "POINTSMAN_HTTP_PORT" in result.stderr
