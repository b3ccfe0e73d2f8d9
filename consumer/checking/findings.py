"""What was found at one look, as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    ``ok`` is None where it can't be known. ``lines`` tell it to a person, ``details`` to a program.
    """

    name: str
    ok: bool | None
    lines: tuple[str, ...]
    details: Mapping[str, Any] = field(default_factory=dict)


def unknown(names: Sequence[str], why: str) -> list[Finding]:
    """Things that can't be looked at."""
    return [Finding(name, None, (why,), {"problem": why}) for name in names]


def failed(name: str, why: str) -> Finding:
    """A thing that is not as it should be."""
    return Finding(name, ok=False, lines=(why,), details={"problem": why})
