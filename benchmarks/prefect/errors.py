"""Why there can be no comparison."""

from pathlib import Path


class ComparisonError(Exception):
    """The root of what can be said in a line."""


class NotInstalledError(ComparisonError):
    """Prefect's environment is not there."""

    def __init__(self, python: Path) -> None:
        super().__init__(f"{python} is missing: make bench-prefect installs it")


class ServerDidNotStartError(ComparisonError):
    """Prefect's server did not come up."""

    def __init__(self, log: str) -> None:
        super().__init__(f"Prefect's server did not start; its last lines:\n{log}")


class ProgramEndedError(ComparisonError):
    """A program ended before it had carried out its order."""

    def __init__(self, module: str, code: int) -> None:
        super().__init__(f"{module} ended with exit code {code}; it says why above")
