"""I-JSON (RFC 7493): JSON of which all parsers make the same, and that can be stored.

JSON leaves open which of two equal keys counts. Whoever looks at requests before they come here,
such as a gateway that lets nobody set ``force``, must see in them what is seen here.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

_MAX_SHOWN = 80
_ESCAPED_NUL = b"\\u0000"


class NotInteroperableError(ValueError):
    """JSON that is read in more than one way, or can't be stored; says why to its producer."""


def check_i_json(raw: bytes) -> None:
    """See that no object has a key twice, that numbers are finite and no text has a NUL character.

    The bytes were read as JSON before, by a parser that bounds nesting and the length of numbers.

    Raises:
        NotInteroperableError: it is otherwise.
    """
    try:
        value = _DECODER.decode(raw.decode())
    except NotInteroperableError:
        raise
    except (ValueError, RecursionError) as error:
        raise NotInteroperableError(f"parsers of JSON do not agree on it: {error}") from error
    if _ESCAPED_NUL in raw and any("\0" in text for text in _texts(value)):
        raise NotInteroperableError("a text has a NUL character, which cannot be stored")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        counted = Counter(key for key, _ in pairs)
        [(twice, _)] = counted.most_common(1)
        raise NotInteroperableError(f"the key {twice!r:.{_MAX_SHOWN}} comes twice in an object")
    return value


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise NotInteroperableError(f"the number {digits:.{_MAX_SHOWN}} is too large to be finite")
    return number


def _no_number(name: str) -> float:
    raise NotInteroperableError(f"{name} is no finite number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_distinct, parse_float=_finite, parse_constant=_no_number
)


def _texts(value: Any) -> Iterator[str]:
    """All texts in a JSON value, and all keys, without recursion."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            yield from item.keys()
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
