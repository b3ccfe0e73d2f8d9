"""Which deliveries of a channel are settled, and up to which tag that lets them be acknowledged."""

from collections.abc import Iterable


class Ledger:
    """The deliveries of one channel, whose tags count up from 1.

    An acknowledgement of many covers every lower tag, so it may reach only as far as everything
    below is settled.
    """

    def __init__(self) -> None:
        self._acknowledged = 0
        self._settled: set[int] = set()

    def settle(self, tags: Iterable[int]) -> int | None:
        """Mark deliveries as settled.

        Returns the highest tag that can now be acknowledged along with all below it, None where
        nothing more can. To settle what is acknowledged already changes nothing.
        """
        self._settled.update(tag for tag in tags if tag > self._acknowledged)
        reached = self._acknowledged
        while reached + 1 in self._settled:
            reached += 1
            self._settled.remove(reached)
        if reached == self._acknowledged:
            return None
        self._acknowledged = reached
        return reached
