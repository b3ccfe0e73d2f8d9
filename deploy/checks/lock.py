"""Whether the lock files fit pyproject.toml: ``python -m deploy.checks.lock``, without network.

Everything required, directly or by what is installed here, is pinned with hashes in a version
that fits; nothing else is pinned; and the environment holds the pinned versions. Of what has an
environment of its own (``requirements/prefect.lock``), what it brings along is not known here: only
what is required directly is looked for.
"""

import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_ROOT = Path(__file__).parents[2]
# The lock files are made for this one; later ones find what they need in them.
_OLDEST_PYTHON = {"python_version": "3.11", "python_full_version": "3.11.0"}


def pinned(lock: str) -> dict[str, str]:
    """Version by name of all that a lock file pins; a pin without hashes is left out."""
    versions: dict[str, str] = {}
    for entry in lock.replace("\\\n", " ").splitlines():
        if "==" in entry and "--hash=" in entry:
            name, _, rest = entry.partition("==")
            versions[canonicalize_name(name)] = rest.split()[0]
    return versions


def _applies(requirement: Requirement, extras: Iterable[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(
        marker.evaluate(_OLDEST_PYTHON | {"extra": extra}) for extra in ("", *extras)
    )


def _required_by(requirement: Requirement) -> Iterator[Requirement]:
    try:
        texts = metadata.requires(requirement.name)
    except metadata.PackageNotFoundError:
        return
    for further in map(Requirement, texts or ()):
        if _applies(further, requirement.extras):
            further.marker = None
            yield further


def closure(direct: Iterable[Requirement]) -> list[Requirement]:
    """These requirements and all that they bring along, as far as it is installed here."""
    waiting = [requirement for requirement in direct if _applies(requirement, ())]
    found: dict[str, Requirement] = {}
    while waiting:
        requirement = waiting.pop()
        if str(requirement) not in found:
            found[str(requirement)] = requirement
            waiting.extend(_required_by(requirement))
    return list(found.values())


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def faults(required: Iterable[Requirement], versions: Mapping[str, str]) -> Iterator[str]:
    """One sentence for each thing in which pins and requirements differ."""
    unneeded = set(versions)
    for requirement in required:
        name = canonicalize_name(requirement.name)
        version = versions.get(name)
        unneeded.discard(name)
        if version is None:
            yield f"{requirement} is required, but not pinned with hashes: make lock"
        elif not requirement.specifier.contains(version, prereleases=True):
            yield f"{requirement} is required, but {version} is pinned: make lock"
        elif _installed(name) not in {None, version}:
            yield f"{name} {version} is pinned, but {_installed(name)} installed: make setup"
    yield from (f"{name} is pinned, but nothing requires it: make lock" for name in unneeded)


def _named(required: Iterable[Requirement], versions: Mapping[str, str]) -> dict[str, str]:
    """The versions of what is required directly."""
    names = {canonicalize_name(requirement.name) for requirement in required}
    return {name: version for name, version in versions.items() if name in names}


def main() -> int:
    """Print what does not fit; 1 where anything does not."""
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = [Requirement(text) for text in project["project"]["dependencies"]]
    development = [Requirement(text) for text in project["dependency-groups"]["dev"]]
    build = [Requirement(text) for text in project["build-system"]["requires"]]
    found: list[str] = []
    locks = (("runtime", runtime), ("dev", runtime + development), ("build", build))
    for name, direct in locks:
        lock = _ROOT / "requirements" / f"{name}.lock"
        found += [
            f"{lock.name}: {fault}\n" for fault in faults(closure(direct), pinned(lock.read_text()))
        ]
    prefect = [Requirement(text) for text in project["dependency-groups"]["prefect"]]
    pins = pinned((_ROOT / "requirements" / "prefect.lock").read_text())
    found += [f"prefect.lock: {fault}\n" for fault in faults(prefect, _named(prefect, pins))]
    sys.stdout.writelines(found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
