"""The commands in a page, as a reader would run them."""

import re
import shlex


def blocks(text: str, language: str) -> list[str]:
    """Each block of code in that language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def shell_commands(text: str) -> list[list[str]]:
    """All commands for a shell, in words."""
    lines = "".join(blocks(text, "sh")).replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines]


def statements(block: str) -> list[str]:
    """The statements of a block of SQL."""
    return [each.strip() for each in block.split(";") if each.strip()]
