"""What the rules cost is measured in layers, each beside the bare step."""

import pytest

from benchmarks import rules


async def test_each_step_is_measured_in_each_layer() -> None:
    costs = await rules.measure(runs=3, rounds=2)

    assert set(costs) == {(layer, step) for layer in rules.LAYERS for step in rules.STEPS}
    assert all(cost.wall > 0 for cost in costs.values())


def test_a_table_is_printed_with_the_ratio_to_the_bare_step(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rules.main(runs=3, rounds=1)

    *_, header, pending, running, completed = capsys.readouterr().out.splitlines()
    assert header.split() == [*rules.LAYERS, "rules", "/", "bare"]
    for line, step in zip((pending, running, completed), rules.STEPS, strict=True):
        name, *figures = line.split()
        assert name == step
        assert len(figures) == 2 * len(rules.LAYERS) + 1
