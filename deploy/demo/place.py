"""Where a demo runs."""

from dataclasses import dataclass

DEFAULT_PARTITIONS = 8


class DemoError(Exception):
    """The demo can't run; the text is one line that says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """A virtual host that is the demo's while it runs, and how many partitions it has or gets."""

    amqp_url: str
    partitions: int = DEFAULT_PARTITIONS
