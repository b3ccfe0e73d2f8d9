"""What looks like a setting and is none: a slip of the pen, most likely."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from consumer.secret_files import file_names
from consumer.settings import PREFIX, Settings

# What only the tests read, and what Kubernetes sets for a service whose name begins with ours.
_OTHERS = frozenset({"POINTSMAN_RABBITMQ_IMAGE", "POINTSMAN_POSTGRES_IMAGE"})
_SECRETS_DIR = f"{PREFIX}SECRETS_DIR"
_SERVICE_NAME = re.compile(r".*_(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP|SCTP))(_\w+)?")
_SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://.*")


@dataclass(frozen=True, slots=True)
class UnknownSetting:
    """A variable or secret file that nothing reads, and the setting that it is most like."""

    name: str
    likeness: str | None

    @property
    def sentence(self) -> str:
        """It, as a person is told of it."""
        meant = f"; did you mean {self.likeness}?" if self.likeness else ""
        return f"{self.name} is not a setting, and has no effect{meant}"


def unknown_settings(environment: Mapping[str, str]) -> list[UnknownSetting]:
    """Every variable with our prefix that no setting has, and every such secret file, by name."""
    given = dict.fromkeys(file_names(environment.get(_SECRETS_DIR)), "") | {**environment}
    return sorted(_unknown(given), key=lambda each: each.name)


def _unknown(environment: Mapping[str, str]) -> Iterator[UnknownSetting]:
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    for name, value in environment.items():
        folded = name.upper()
        if not folded.startswith(PREFIX) or folded in known or folded in _OTHERS:
            continue
        if _SERVICE_NAME.fullmatch(folded) or _SERVICE_ADDRESS.fullmatch(value):
            continue
        likely = get_close_matches(folded, known, n=1, cutoff=0.8)
        yield UnknownSetting(_printable(name), likely[0] if likely else None)


def _printable(name: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in name)
