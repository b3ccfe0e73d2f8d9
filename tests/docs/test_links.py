"""Links between pages lead somewhere."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT

PAGES = [each for folder in (ROOT, ROOT / "deploy") for each in sorted(folder.glob("*.md"))]
PAGES += sorted(DOCS.rglob("*.md"))
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")


def anchors(file: Path) -> set[str]:
    """How headings are named in links."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_each_link_leads_to_a_file_and_a_heading_that_there_are(file: Path) -> None:
    for path, heading in LINK.findall(file.read_text(encoding="utf-8")):
        if path.startswith(("http:", "https:")):
            continue
        target = file.parent / path if path else file
        assert target.exists(), path
        if heading:
            assert heading in anchors(target), f"{path}#{heading}"
