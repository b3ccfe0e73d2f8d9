"""A consumer that kills itself."""

import os
import signal
import sys

from consumer.commands import main
from tests.integration.kill_points.points import POINTS
from tests.integration.kill_points.seams import Passing


def killing_at(point: str, times: int) -> Passing:
    """Kill this process when called for that many times, with a last word on standard error."""
    left = times

    def passing() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.write(sys.stderr.fileno(), f"killed at {point}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)

    return passing


def consume(point: str, times: int) -> None:
    """Be ``pointsman consume``, and die by SIGKILL when the point is passed for that many times."""
    POINTS[point](killing_at(point, times))
    sys.argv = ["pointsman", "consume"]
    main()
