"""The map shows what is there."""

import re

import pytest

from tests.docs.pages import ROOT, page, section

PACKAGES = ("rules", "persistence", "consumer")


def places() -> list[str]:
    """Every file and folder that the map names, by its path."""
    found, folder = [], ""
    for line in section(page("architecture.md"), "The map").splitlines():
        if root := re.match(r"\w+/", line):
            folder = root[0]
            found.append(folder)
        elif line.startswith("  "):
            found += [f"{folder}{name}" for name in re.findall(r"\S+(?:\.py|/)(?= |$)", line)]
    return found


PLACES = places()


@pytest.mark.parametrize("place", PLACES)
def test_what_the_map_names_is_there(place: str) -> None:
    assert (ROOT / place).exists()


@pytest.mark.parametrize("package", PACKAGES)
def test_the_map_names_all_that_a_package_holds(package: str) -> None:
    there = {
        f"{package}/{entry.name}" + ("/" if entry.is_dir() else "")
        for entry in (ROOT / package).iterdir()
        if (entry.suffix == ".py" or entry.is_dir()) and not entry.name.startswith("__")
    }
    assert there <= set(PLACES)
