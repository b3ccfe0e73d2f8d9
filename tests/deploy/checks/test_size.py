import pytest

from deploy.checks.size import MAX_FILE_LINES, MAX_FUNCTION_LINES, faults


def _function(lines: int) -> str:
    body = "    x = 1\n" * lines
    return f'def long() -> None:\n    """Says much.\n\n    In some lines.\n    """\n{body}'


@pytest.mark.parametrize("lines", [1, MAX_FUNCTION_LINES])
def test_a_function_may_have_as_many_lines_as_the_style_allows_its_docstring_aside(
    lines: int,
) -> None:
    assert list(faults("a.py", _function(lines))) == []


def test_a_longer_function_and_a_longer_file_are_named() -> None:
    source = _function(MAX_FUNCTION_LINES + 1) + "\n" * MAX_FILE_LINES
    assert [fault.split(":")[0] for fault in faults("a.py", source)] == ["a.py", "a.py"]
    assert any("long has 41 lines" in fault for fault in faults("a.py", source))
