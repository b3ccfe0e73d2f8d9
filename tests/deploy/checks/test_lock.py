from packaging.requirements import Requirement

from deploy.checks.lock import closure, faults, main, pinned


def test_pins_are_read_with_their_hashes_and_left_out_without() -> None:
    lock = "# a comment\nPsutil==7.2.2 \\\n    --hash=sha256:ab \\\n    --hash=sha256:cd\nruff==1\n"
    assert pinned(lock) == {"psutil": "7.2.2"}


def test_the_lock_files_fit_the_project() -> None:
    assert main() == 0


def test_what_is_missing_unfit_or_too_much_is_named() -> None:
    required = [Requirement("missing"), Requirement("unfit>=2")]
    found = list(faults(required, {"unfit": "1", "unneeded": "3"}))
    assert [sentence.split()[0] for sentence in found] == ["missing", "unfit>=2", "unneeded"]


def test_requirements_are_followed_through_extras_and_past_markers_that_do_not_apply() -> None:
    names = {
        requirement.name
        for requirement in closure(
            [Requirement("sqlalchemy[asyncio]"), Requirement("tomli; python_version < '3.11'")]
        )
    }
    assert {"sqlalchemy", "greenlet"} <= names
    assert "tomli" not in names
