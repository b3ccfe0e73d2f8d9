"""Passwords taken out of what is told: libraries' errors, and rules' own, may hold whole URLs."""

import re
import sys
import threading
import traceback
from types import TracebackType

MASK = "***"

_WORD = re.compile(r"\S+")
_OPTION = re.compile(
    r"""(?ix) ( passw(?:or)?d \s*=\s* | ['"] passw(?:or)?d ['"] \s*:\s* )
              ( '[^']*' | "[^"]*" | [^\s&;,'")]+ )"""
)


def redacted(text: str) -> str:
    """The text without the logins in its URLs, and without values that are called passwords."""
    if "://" in text:
        text = _WORD.sub(_without_login, text)
    return _OPTION.sub(rf"\1{MASK}", text)


def redact_tracebacks() -> None:
    """Print errors that nobody has caught without passwords, from now on."""
    sys.excepthook = _tell
    threading.excepthook = _tell_of_thread


def _without_login(word: re.Match[str]) -> str:
    told = word[0]
    start, end = told.find("://"), told.rfind("@")
    return told if start < 0 or end < start else f"{told[:start]}://{MASK}{told[end:]}"


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(redacted("".join(traceback.format_exception(kind, error, trace))))


def _tell_of_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None:
        _tell(ended.exc_type, ended.exc_value, ended.exc_traceback)
