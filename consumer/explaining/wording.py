"""Times and spans as a person reads them."""

from datetime import UTC, datetime

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def clock_time(at: datetime) -> str:
    """A moment in UTC, to the second, without the zone's name."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def moment(at: datetime) -> str:
    """A moment, to the second."""
    return f"{clock_time(at)} UTC"


def moment_from(at: datetime, now: datetime) -> str:
    """A moment, and how far from now it is: ``… UTC (in 2 min 5 s)``."""
    seconds = round((at - now).total_seconds())
    if seconds == 0:
        return f"{moment(at)} (now)"
    far = f"in {span(seconds)}" if seconds > 0 else f"{span(-seconds)} ago"
    return f"{moment(at)} ({far})"


def span(seconds: int) -> str:
    """A span in its two largest units: ``2 d 3 h``, ``2 min 5 s``, ``14 s``."""
    for size, unit, smaller, smaller_unit in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "min"),
        (_MINUTE, "min", 1, "s"),
    ):
        if seconds >= size:
            rest = seconds % size // smaller
            return f"{seconds // size} {unit}" + (f" {rest} {smaller_unit}" if rest else "")
    return f"{seconds} s"


def times(number: int) -> str:
    """How often: ``once``, ``3 times``."""
    return "once" if number == 1 else f"{number} times"
