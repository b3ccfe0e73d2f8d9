"""What was measured, as lines of a table and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pydantic_core import to_json

from benchmarks.sizes.measuring import Measured
from benchmarks.sizes.plan import Plan

HEADER = f"{'':<68}{'decisions/s':>12}{'(rounds)':>15}{'CPU ms':>8}{'ratio':>7}"


def line(measured: Measured) -> str:
    """One line of the table."""
    rates = [each.per_second for each in measured.paces]
    spread = f"({min(rates):.0f}-{max(rates):.0f})"
    ratio = "" if measured.ratio is None else f"{measured.ratio:.2f}"
    pace = measured.pace
    return f"{measured.name:<68}{pace.per_second:>12.0f}{spread:>15}{pace.cpu_ms:>8.2f}{ratio:>7}"


def save(file: Path, plan: Plan, found: Sequence[Measured]) -> None:
    """Keep all that was measured."""
    file.parent.mkdir(parents=True, exist_ok=True)
    measured = [
        {"name": each.name, "ratio": each.ratio, "paces": [asdict(pace) for pace in each.paces]}
        for each in found
    ]
    file.write_bytes(to_json({"plan": asdict(plan), "measured": measured}, indent=2))
