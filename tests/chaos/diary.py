"""What goes on in a trial, line by line."""

import time


class Diary:
    """Notes each line with the seconds since the start; prints it too where that is wanted."""

    def __init__(self, *, printing: bool = False) -> None:
        self.lines: list[str] = []
        self._printing = printing
        self._start = time.monotonic()

    def note(self, text: str) -> None:
        """Something happened."""
        line = f"{time.monotonic() - self._start:7.1f}  {text}"
        self.lines.append(line)
        if self._printing:
            print(line, flush=True)  # noqa: T201 - for people
