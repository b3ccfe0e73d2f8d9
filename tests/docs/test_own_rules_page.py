"""The page on rules of one's own shows just the module that the tests run."""

import re

from tests.docs.pages import DOCS, page


def test_the_page_shows_the_whole_module_piece_by_piece() -> None:
    pieces = re.findall(r"^```python\n(.*?)^```$", page("own-rules.md"), re.MULTILINE | re.DOTALL)
    module = (DOCS / "examples" / "team_budget.py").read_text(encoding="utf-8")
    assert "\n\n".join(pieces) == module
