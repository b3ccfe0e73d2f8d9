"""``python -m benchmarks``: all benchmarks, one after the other."""

from benchmarks.throughput import main

main()
