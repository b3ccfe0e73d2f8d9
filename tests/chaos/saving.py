"""A history as files, so that one can look into it: JSON lines, a file for each kind of value."""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from tests.chaos.history import History


def save(history: History, folder: Path) -> None:
    """Write the history into the folder: what was sent and heard, the rows, and the queues."""
    _write(folder / "sent.jsonl", history.sent)
    _write(folder / "heard.jsonl", history.heard)
    for name in ("decisions", "states", "runs", "slots", "letters", "begun"):
        _write(folder / f"{name}.jsonl", getattr(history.rows, name))
    (folder / "limits.json").write_bytes(to_json(dict(history.rows.limits)))
    (folder / "queues.json").write_bytes(to_json(dict(history.queues)))


def _write(file: Path, values: Iterable[Any]) -> None:
    with file.open("wb") as lines:
        for value in values:
            fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
            lines.write(to_json(_readable(fields)) + b"\n")


def _readable(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Bytes as text, as far as they are any."""
    return {
        name: value.decode(errors="backslashreplace") if isinstance(value, bytes) else value
        for name, value in fields.items()
    }
