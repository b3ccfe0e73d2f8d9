from pathlib import Path

import pytest

from deploy.checks.units import faults, main

# As systemd-analyze does: what is unknown is told, and is no failure; too much exposure is one.
ANALYZE = """#!/bin/sh
case $1 in
  verify) shift; grep --no-filename Nonsense "$@" || : ;;
  security) for unit; do :; done; ! grep Exposed "${SYSTEMD_UNIT_PATH%:}/$unit" ;;
esac
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Units, on a machine with something that is asked as systemd-analyze is."""
    analyze = tmp_path / "bin" / "systemd-analyze"
    analyze.parent.mkdir()
    analyze.write_text(ANALYZE)
    analyze.chmod(0o755)
    monkeypatch.setenv("PATH", f"{analyze.parent}:/usr/bin:/bin")
    units = tmp_path / "units"
    units.mkdir()
    (units / "good.service").write_text("[Service]\nExecStart=/opt/pointsman/bin/pointsman x\n")
    return units


def test_what_systemd_takes_is_right(folder: Path) -> None:
    assert list(faults(folder)) == []


def test_what_systemd_does_not_know_is_told_once(folder: Path) -> None:
    (folder / "bad.service").write_text("[Service]\nNonsense=1\n")
    assert list(faults(folder)) == ["Nonsense=1"]


def test_what_may_do_too_much_is_told(folder: Path) -> None:
    (folder / "bad.service").write_text("[Service]\n#Exposed: 9.6\n")
    assert list(faults(folder)) == ["#Exposed: 9.6"]


def test_where_systemd_is_not_that_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert main() == 0
    assert "systemd-analyze is not here" in capsys.readouterr().out


def test_what_is_wrong_fails_the_check(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("deploy.checks.units._FOLDER", folder)
    assert main() == 0
    (folder / "bad.service").write_text("[Service]\nNonsense=1\n")
    assert main() == 1
    assert capsys.readouterr().out == "Nonsense=1\n"
