"""Whether files and functions are short enough: ``python -m deploy.checks.size``."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

_ROOT = Path(__file__).parents[2]
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40
# Migrations say what was done, as long as it takes, and are never rewritten.
_AS_LONG_AS_IT_TAKES = "*/migrations/versions/*"


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function's body, its docstring aside."""
    documented = ast.get_docstring(function) is not None and len(function.body) > 1
    first = function.body[1 if documented else 0]
    return (function.end_lineno or first.lineno) - first.lineno + 1


def faults(path: str, source: str) -> Iterator[str]:
    """One sentence for each thing in the file that is too long."""
    length = len(source.splitlines())
    if length > MAX_FILE_LINES:
        yield f"{path}: {length} lines, more than {MAX_FILE_LINES}"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = _lines(node)
            if length > MAX_FUNCTION_LINES:
                too_long = f"{node.name} has {length} lines, more than {MAX_FUNCTION_LINES}"
                yield f"{path}:{node.lineno}: {too_long}"


def main() -> int:
    """Print what is too long in the files that git knows or would; 1 where anything is."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = [
        fault
        for name in listed.stdout.splitlines()
        if (_ROOT / name).exists() and not fnmatch(name, _AS_LONG_AS_IT_TAKES)
        for fault in faults(name, (_ROOT / name).read_text(encoding="utf-8"))
    ]
    sys.stdout.writelines(f"{fault}\n" for fault in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
