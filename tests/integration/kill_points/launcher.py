"""A consumer that kills itself: ``python -m tests.integration.kill_points.launcher POINT N``.

It is ``pointsman consume`` in all else, and dies by SIGKILL at the N-th passing of the point.
"""

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


if __name__ == "__main__":
    _, point, times = sys.argv
    POINTS[point](killing_at(point, int(times)))
    sys.argv = ["pointsman", "consume"]
    main()
