"""The pages of the documentation, as tests read them."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

Row = list[str]

_CELL = re.compile(r"(?<!\\)\|")


def page(name: str) -> str:
    """The text of a page in ``docs/``."""
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one of any level."""
    parts = re.split(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return parts[parts.index(heading) + 1]


def rows(text: str) -> Iterator[Row]:
    """The cells of each row of all tables in the text, less the heads."""
    lines = text.splitlines()
    for before, line in pairwise(lines):
        is_head = line.startswith("|---")
        was_head = before.startswith("|---")
        if line.startswith("|") and not is_head and (was_head or before.startswith("|")):
            yield [cell.strip().replace("\\|", "|") for cell in _CELL.split(line)[1:-1]]


def code(cell: str) -> str:
    """A cell's text without the marks of code around it."""
    return cell.removeprefix("`").removesuffix("`")
