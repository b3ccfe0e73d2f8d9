"""``python -m benchmarks`` runs what it is told, and without a word all."""

from collections.abc import Mapping

import pytest

from benchmarks.__main__ import BENCHMARKS, main


@pytest.mark.parametrize(
    ("arguments", "run"),
    [
        ([], ["rules", "throughput", "footprint", "peers", "profile", "latency", "sizes"]),
        (["all"], ["rules", "throughput", "footprint", "peers", "profile", "latency", "sizes"]),
        (["rules"], ["rules"]),
        (["throughput"], ["throughput"]),
    ],
)
def test_what_is_named_is_run(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], run: list[str]
) -> None:
    ran: list[str] = []
    noted: Mapping[str, object] = {name: _noting(name, ran) for name in BENCHMARKS}
    monkeypatch.setattr("benchmarks.__main__.BENCHMARKS", noted)
    main(arguments)

    assert ran == run


def test_a_benchmark_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["speed"])

    assert ended.value.code == 2
    assert "speed" in capsys.readouterr().err


def _noting(name: str, ran: list[str]) -> object:
    return lambda: ran.append(name)
