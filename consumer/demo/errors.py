"""What can go wrong with a showing."""

from collections.abc import Sequence
from signal import Signals

from consumer.errors import PointsmanError


class DemoError(PointsmanError):
    """The demo can't go on, or did not end as its story does; the text says why in one line."""


class ConsumerFailedError(DemoError):
    """The demo's consumer did not do its part; ``log_lines`` are the last that it wrote."""

    def __init__(self, text: str, log_lines: Sequence[str]) -> None:
        super().__init__(text)
        self.log_lines = tuple(log_lines)


class StoppedError(DemoError):
    """A signal ended the showing before its time."""

    def __init__(self, received: Signals) -> None:
        super().__init__(f"stopped by {received.name}")
        self.received = received
