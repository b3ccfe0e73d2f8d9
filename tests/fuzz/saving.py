"""Messages on file, one a line, to be sent again."""

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.messages import Message

_TEXTS = ("header", "body", "routing_key", "exchange")


def save(messages: Sequence[Message], path: Path) -> None:
    """Write the messages, folders above included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{_line(message)}\n" for message in messages))


def load(path: Path) -> list[Message]:
    """The messages that were written."""
    return [_message(line) for line in path.read_text().splitlines()]


def _line(message: Message) -> str:
    told = {name: b64encode(getattr(message, name)).decode() for name in _TEXTS}
    return json.dumps(told | {"redelivered": message.redelivered})


def _message(line: str) -> Message:
    told = json.loads(line)
    redelivered = told.pop("redelivered")
    return Message(**{name: b64decode(told[name]) for name in _TEXTS}, redelivered=redelivered)
