"""The benchmarks, one or all of them, one after the other."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from benchmarks import footprint, latency, peers, profile, rules, sizes, throughput

BENCHMARKS: Mapping[str, Callable[[], None]] = MappingProxyType(
    {
        "rules": rules.main,
        "throughput": throughput.main,
        "footprint": footprint.main,
        "peers": peers.main,
        "profile": profile.main,
        "latency": latency.main,
        "sizes": sizes.main,
    }
)
ALL = "all"


def main(arguments: Sequence[str]) -> None:
    """Run what the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=[*BENCHMARKS, ALL], default=ALL)
    chosen = parser.parse_args(arguments).name
    for name, benchmark in BENCHMARKS.items():
        if chosen in {name, ALL}:
            benchmark()


if __name__ == "__main__":
    main(sys.argv[1:])
