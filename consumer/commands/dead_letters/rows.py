"""Dead letters as rows: with all keys for ``--json``, and with a body where that is told."""

from base64 import b64encode
from typing import Any

from pydantic_core import from_json, to_json

from consumer.commands.output import Row
from consumer.wire.i_json import check_i_json
from persistence.dead_letters.values import FullLetter, RecordedLetter

COLUMNS = ("id", "status", "reason", "request_id", "run_id", "error", "dead_at")
"""What a table of letters shows."""


def letter_row(letter: RecordedLetter) -> Row:
    """All that is on record of a letter, less its body."""
    return {
        "id": letter.id,
        "status": letter.status.value,
        "reason": letter.reason,
        "error_type": letter.error_type,
        "error": letter.error,
        "request_id": letter.request_id,
        "attempt": letter.attempt,
        "run_kind": letter.run_kind,
        "run_id": letter.run_id,
        "exchange": letter.exchange,
        "routing_key": letter.routing_key,
        "consumer": letter.consumer,
        "attempts": letter.attempts,
        "dead_at": letter.dead_at,
        "recorded_at": letter.recorded_at,
        "closed_at": letter.closed_at,
        "edited_at": letter.edited_at,
        "replay_request_id": letter.replay_request_id,
        "replay_attempt": letter.replay_attempt,
    }


def full_row(letter: FullLetter) -> Row:
    """The same with the message: its properties and its bodies, as text too where they are."""
    return {
        **letter_row(letter),
        "properties": letter.properties,
        **_told("body", letter.body),
        **_told("edited_body", letter.edited_body),
    }


def text_of(body: bytes) -> str | None:
    """The body as text, None where it isn't UTF-8."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def set_out(body: bytes) -> str | None:
    """The same, in lines and with indents where it is JSON that loses nothing by that."""
    try:
        value = from_json(body, allow_inf_nan=False)
        check_i_json(body)
        return to_json(value, indent=2).decode()
    except ValueError:
        return text_of(body)


def _told(name: str, body: bytes | None) -> dict[str, Any]:
    return {
        f"{name}_base64": None if body is None else b64encode(body).decode(),
        f"{name}_text": None if body is None else text_of(body),
    }
