"""Passwords are taken out of texts, and the rest is left as it is."""

import subprocess
import sys

import pytest

from consumer.redaction import redacted

PROGRAM = """
import threading
from consumer.redaction import redact_tracebacks

redact_tracebacks()

def fail():
    try:
        raise ConnectionError("no way to amqp://user:s3cret@host/")
    except ConnectionError as error:
        raise ValueError("password='s3cret' was refused") from error
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("amqp://user:s3cret@host:5672/vhost", "amqp://***@host:5672/vhost"),
        ("(postgresql+asyncpg://user:s3cret@host/db)", "(postgresql+asyncpg://***@host/db)"),
        ("can't reach 'amqps://user:s3c'r\"et@host/';", "can't reach 'amqps://***@host/';"),
        ("amqp://user:s3/cr@et@host/", "amqp://***@host/"),
        ("one amqp://u:s3cret@a/ two amqp://u:s3cret@b/", "one amqp://***@a/ two amqp://***@b/"),
        ("postgresql://host/db?password=s3cret&ssl=require", "?password=***&ssl=require"),
        ("ConnectionParameters(user='u', password='s3cret', ssl=None)", "password=***, ssl=None"),
        ("{'user': 'u', 'password': 's3cret', \"passwd\": \"s3cret\"}", "'password': ***, "),
        ("PGPASSWORD=s3cret psql", "PGPASSWORD=*** psql"),
        ("host=h password = s3cret dbname=d", "password = *** dbname=d"),
    ],
)
def test_passwords_are_taken_out(text: str, told: str) -> None:
    assert told in redacted(text)
    assert "s3c" not in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "see https://docs.example.org/a?b=c#d and mail me@example.org",
        "the broker at host:5672 refuses the user or the password; check them",
        "password authentication failed for user 'one'",
        "me@example.org: https://example.org/",
    ],
)
def test_what_is_no_password_stays(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize("piece", ["://", "password='", "'password':'", "a://b@", "password=x"])
def test_a_long_text_that_means_ill_comes_to_its_end(piece: str) -> None:
    """Were each of its pieces to be looked for in all the rest, it would take hours."""
    text = piece * 1_000_000

    assert len(redacted(text)) <= 2 * len(text)


@pytest.mark.parametrize("end", ["fail()", "threading.Thread(target=fail).start()"])
def test_a_traceback_that_nobody_caught_shows_none(end: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM + end], capture_output=True, text=True, check=False
    )

    assert "Traceback (most recent call last):" in ended.stderr
    assert "ConnectionError: no way to amqp://***@host/" in ended.stderr
    assert "ValueError: password=*** was refused" in ended.stderr
    assert "s3cret" not in ended.stderr
