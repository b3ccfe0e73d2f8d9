"""Prefect's processes find only what they are to find."""

from pathlib import Path

import pytest

from benchmarks.prefect import environment
from benchmarks.prefect.environment import prefect_version, require_prefect
from benchmarks.prefect.errors import NotInstalledError

_URL = "postgresql+asyncpg://me@127.0.0.1:1/prefect"


def test_files_go_into_the_given_folder_and_nothing_is_told_outside(tmp_path: Path) -> None:
    found = environment.environment(tmp_path, _URL)

    assert found["PREFECT_HOME"] == str(tmp_path)
    assert found["PREFECT_API_DATABASE_CONNECTION_URL"] == _URL
    assert found["DO_NOT_TRACK"] == "1"
    assert found["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"


def test_the_users_own_settings_of_prefect_stay_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PREFECT_API_KEY", "mine")
    monkeypatch.setenv("LANG", "C.UTF-8")
    found = environment.environment(tmp_path, _URL)

    assert "PREFECT_API_KEY" not in found
    assert found["LANG"] == "C.UTF-8"


def test_where_prefect_is_not_installed_it_is_said_what_does_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environment, "PYTHON", tmp_path / "python")

    with pytest.raises(NotInstalledError, match="make bench-prefect"):
        require_prefect()


def test_where_prefect_is_installed_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environment, "PYTHON", tmp_path)

    require_prefect()


def test_the_version_is_the_locked_one() -> None:
    assert prefect_version() == "3.7.0"
