"""``pointsman consume`` under a sampling profiler: in which part of the code its CPU time passes.

A timer that counts the process's CPU time interrupts it every millisecond. What is counted is the
innermost frame that belongs to a part, so that the library code that a part calls is its own, but
for the libraries that are parts themselves. Written as JSON to the file in the first argument when
the consumer is told to stop.
"""

import json
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

from consumer.commands import main

INTERVAL_SECONDS = 0.001

ELSE = "event loop and the rest"

PARTS = (
    ("/rules/", "rules and transforms"),
    ("/consumer/wire/reading.py", "reading requests"),
    ("/consumer/wire/body.py", "reading requests"),
    ("/consumer/wire/i_json.py", "reading requests"),
    ("/consumer/worker/recording.py", "decisions' bytes and records"),
    ("/consumer/wire/", "decisions' bytes and records"),
    ("/consumer/broker/", "frames to and from the broker"),
    ("/aiormq/", "aiormq"),
    ("/consumer/worker/publishing.py", "addressing decisions"),
    ("/consumer/commands/", ELSE),
    ("/consumer/", "checking, batching, measuring"),
    ("/persistence/", "rows from and to values"),
    ("/sqlalchemy/", "SQLAlchemy"),
    ("/asyncpg/", "asyncpg"),
)


def part_of(frame: FrameType | None) -> str:
    """The part that the innermost frame belongs to that belongs to any."""
    while frame is not None:
        name = frame.f_code.co_filename
        for place, part in PARTS:
            if place in name:
                return part
        frame = frame.f_back
    return ELSE


def sampled(path: Path) -> None:
    """Run the command in ``sys.argv``, and write how many samples fell into each part."""
    counted: Counter[str] = Counter()

    def sample(_number: int, frame: FrameType | None) -> None:
        counted[part_of(frame)] += 1

    signal.signal(signal.SIGPROF, sample)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL_SECONDS, INTERVAL_SECONDS)
    try:
        main()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        path.write_text(json.dumps(counted))


if __name__ == "__main__":
    file = Path(sys.argv[1])
    sys.argv = ["pointsman", "consume"]
    sampled(file)
