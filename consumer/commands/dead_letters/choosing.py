"""Which letters a command is about: the ids and options that all of these commands share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import wraps
from typing import Any
from uuid import UUID

import click

from consumer.commands.parameters import MOST, Age, RequestId
from consumer.errors import PointsmanError
from persistence.database import Database
from persistence.dead_letters.filters import LetterFilter
from persistence.dead_letters.listing import list_letters
from persistence.dead_letters.values import RecordedLetter
from persistence.schema import LetterStatus
from rules.moments import utc_now

Command = Callable[..., None]


class NoSuchLetterError(PointsmanError):
    """A letter that was named is not on record."""

    def __init__(self, ids: Sequence[UUID]) -> None:
        named = ", ".join(str(each) for each in ids)
        super().__init__(
            f"there is no dead letter {named}; 'pointsman dead-letters list' shows all"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which letters were asked for, and how many at most."""

    chosen: LetterFilter
    limit: int | None

    @property
    def named(self) -> tuple[UUID, ...]:
        """The letters that were named by their ids."""
        return self.chosen.ids or ()

    def among(self, *statuses: LetterStatus, replayable: bool | None = None) -> LetterFilter:
        """The letters of the choice that have one of these statuses."""
        return replace(self.chosen, statuses=statuses, replayable=replayable)


def choosing(*, by_status: bool) -> Callable[[Command], Command]:
    """Let a command choose letters: it is given a ``Choice`` as ``choice``."""

    def decorated(command: Command) -> Command:
        @wraps(command)
        def chosen(**options: Any) -> None:
            command(choice=_choice(options), **options)

        return _with_options(chosen, by_status=by_status)

    return decorated


def _with_options(command: Command, *, by_status: bool) -> Command:
    statuses = click.Choice([each.value for each in LetterStatus])
    options = [
        click.argument("ids", metavar="[ID]...", nargs=-1, type=click.UUID),
        click.option("--reason", help="The code, such as invalid or rule-error."),
        click.option("--run", "run_id", type=click.UUID, help="Only this run's."),
        click.option("--request", "request_id", type=RequestId(), help="Only this request's."),
        click.option("--since", type=Age(), help="Only those that died within 90s, 15m, 6h, 3d."),
        click.option("--older-than", type=Age(), help="Only those that died longer ago."),
        click.option("--limit", type=click.IntRange(1, MOST), help="At most so many."),
    ]
    if by_status:
        options.append(click.option("--status", type=statuses, help="What was done about it."))
    for option in reversed(options):
        command = option(command)
    return command


def _choice(options: dict[str, Any]) -> Choice:
    """The choice; what it is made of is taken out of the options."""
    now = utc_now()
    ids: tuple[UUID, ...] = options.pop("ids")
    status: str | None = options.pop("status", None)
    since: timedelta | None = options.pop("since")
    older_than: timedelta | None = options.pop("older_than")
    chosen = LetterFilter(
        ids=tuple(dict.fromkeys(ids)) or None,
        statuses=(LetterStatus(status),) if status else (),
        reason=options.pop("reason"),
        request_id=options.pop("request_id"),
        run_id=options.pop("run_id"),
        died_since=None if since is None else now - since,
        died_before=None if older_than is None else now - older_than,
    )
    return Choice(chosen=chosen, limit=options.pop("limit"))


async def named_letters(database: Database, choice: Choice) -> list[RecordedLetter]:
    """The letters that were named by their ids, whatever else was asked.

    Raises:
        NoSuchLetterError: one of them is not on record.
    """
    if not choice.named:
        return []
    found = {
        letter.id: letter for letter in await list_letters(database, LetterFilter(ids=choice.named))
    }
    if unknown := [each for each in choice.named if each not in found]:
        raise NoSuchLetterError(unknown)
    return [found[each] for each in choice.named]
