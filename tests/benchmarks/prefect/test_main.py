"""The figures are printed as tables and saved as JSON."""

import json
from pathlib import Path

import pytest

from benchmarks.prefect import __main__ as program
from benchmarks.prefect import environment
from benchmarks.prefect.figures import Contender, Kind, Reading

READINGS = {
    Contender(Kind.QUEUED): [Reading(1_500.0, 0.25, 98.4)],
    Contender(Kind.ANSWERED, 8): [Reading(300.0, 2.0, 93.0, latencies=[0.0204])],
    Contender(Kind.SERVER, 8): [Reading(50.0, 12.5, 198.0, latencies=[0.16])],
    Contender(Kind.ENGINE, 4): [Reading(60.0, 7.5, 192.0, latencies=[0.06])],
}


def test_both_tables_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program.tell(READINGS, 1, tmp_path / "figures.json")

    heading, _, _, engine, server, answered, queued, _, _, *ratios = (
        line.rstrip() for line in capsys.readouterr().out.splitlines()
    )
    assert heading.startswith("Prefect 3.7.0 and Pointsman")
    assert engine.split()[2:] == ["4", "60", "7.50", "60.0", "60.0", "192"]
    assert server.split()[3:] == ["8", "50", "12.50", "160.0", "160.0", "198"]
    assert answered.split()[3:] == ["8", "300", "2.00", "20.4", "20.4", "93"]
    assert queued.split()[3:] == ["all", "sent", "1,500", "0.25", "98"]
    assert [line.split()[-2:] for line in ratios] == [
        ["25.0", "30.0"],
        ["30.0", "50.0"],
        ["5.0", "3.8"],
        ["6.0", "6.2"],
    ]


def test_all_is_saved_with_every_round_and_what_it_was_measured_on(tmp_path: Path) -> None:
    out = tmp_path / "bench" / "figures.json"
    program.tell(READINGS, 1, out)

    saved = json.loads(out.read_text())
    assert saved["prefect"] == "3.7.0"
    assert saved["cpus"] > 0
    assert [each["kind"] for each in saved["contenders"]] == list(Kind)
    assert saved["contenders"][0] == {
        "kind": "Prefect, in-process",
        "clients": 4,
        "per_second": 60.0,
        "cpu_ms": 7.5,
        "peak_mb": 192.0,
        "p50_ms": 60.0,
        "p99_ms": 60.0,
        "rounds": [{"per_second": 60.0, "cpu_ms": 7.5, "peak_mb": 192.0}],
    }
    assert saved["ratios"][0]["rate"] == 25.0
    assert saved["ratios"][0]["prefect"] == {"kind": "Prefect, in-process", "clients": 4}


def test_without_prefect_nothing_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(environment, "PYTHON", tmp_path / "python")

    assert program.main([]) == 1
    assert "make bench-prefect" in capsys.readouterr().err
