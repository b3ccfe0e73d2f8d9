"""``pointsman dead-letters replay``."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import click

from consumer.broker.connection import connect
from consumer.broker.errors import ChannelClosedByBroker
from consumer.broker.publisher import Publisher
from consumer.commands.dead_letters.choosing import Choice, choosing, named_letters
from consumer.commands.dead_letters.confirming import confirm, dry_run_option, yes_option
from consumer.commands.dead_letters.rows import letter_row
from consumer.commands.dead_letters.telling import tell_left_out
from consumer.commands.output import json_option, print_line, print_rows
from consumer.commands.progress import advancing
from consumer.commands.storage import opened_database
from consumer.dead_letters.replaying import ReplayWriter, replay
from consumer.errors import PointsmanError
from consumer.settings import Settings
from consumer.topology.names import REQUESTS
from consumer.wire.reading import RequestReader
from persistence.database import Database
from persistence.dead_letters.filters import LetterFilter
from persistence.dead_letters.listing import choose_letters, count_letters, portions
from persistence.dead_letters.replaying import REPLAYABLE, plan_replays
from persistence.dead_letters.values import ChosenLetter, RecordedLetter
from persistence.schema import LetterStatus

_COLUMNS = ("id", "status", "reason", "run_id", "replay_request_id", "replay_attempt", "dead_at")
_NOT_FOUND = 404
_IN_THE_MIDDLE = (LetterStatus.REPLAYING,)
_NO_REQUEST = (
    "what has no request id is no request; edited, it is sent as a new one"
    " ('pointsman dead-letters edit')"
)


class NotReplayedError(PointsmanError):
    """Letters that were to be replayed are not."""


@click.command(name="replay")
@choosing(by_status=False)
@dry_run_option
@yes_option
@json_option
def replay_command(*, choice: Choice, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Send open dead letters to be governed once more, in the order in which they died.

    Those with these ids, or all that the options choose; --limit takes the oldest ones. A letter
    that was aborted into the dead letters comes as its request's next attempt, in the name of
    whoever sent it. Broken off in the middle, call it again: each letter is governed once, and
    two operators don't disturb each other.
    """
    chosen = asyncio.run(_chosen(choice))
    if dry_run:
        planned = asyncio.run(_plan(chosen))
        print_rows([letter_row(letter) for letter in planned], _COLUMNS, as_json=as_json)
        return
    if chosen and not choice.named and not yes:
        confirm(f"Replay {len(chosen)} letters?")
    replayed: list[RecordedLetter] = []
    try:
        refused = asyncio.run(_replay(Settings.from_environment(), chosen, replayed))
    finally:
        if as_json:
            print_rows([letter_row(letter) for letter in replayed], (), as_json=True)
        else:
            print_line(f"letters replayed: {len(replayed)}")
    if refused:
        raise NotReplayedError(
            f"the broker did not confirm {refused} letters; see why, and replay them again"
        )


async def _chosen(choice: Choice) -> list[ChosenLetter]:
    """The letters to replay; what can't be is told, or if it was named, an error."""
    async with opened_database() as database:
        named = await named_letters(database, choice)
        tell_left_out(named, REPLAYABLE)
        hopeless = [letter for letter in named if _is_hopeless(letter)]
        if hopeless:
            ids = ", ".join(str(letter.id) for letter in hopeless)
            raise NotReplayedError(f"cannot be replayed: {ids}: {_NO_REQUEST}")
        left_out = await count_letters(database, choice.among(*REPLAYABLE, replayable=False))
        if left_out:
            click.echo(f"cannot be replayed: letters left out: {left_out}: {_NO_REQUEST}", err=True)
        wanted = choice.among(*REPLAYABLE, replayable=True)
        return await choose_letters(database, wanted, limit=choice.limit)


def _is_hopeless(letter: RecordedLetter) -> bool:
    return letter.status in REPLAYABLE and not letter.can_be_replayed


async def _plan(chosen: Sequence[ChosenLetter]) -> list[RecordedLetter]:
    async with opened_database() as database:
        return [
            planned.letter
            for ids in portions(chosen)
            for planned in await plan_replays(database, ids)
        ]


async def _replay(
    settings: Settings, chosen: Sequence[ChosenLetter], replayed: list[RecordedLetter]
) -> int:
    """Replay the letters, noting those that are, and tell how many the broker refused."""
    if not chosen:
        return 0
    try:
        return await _publish(settings, chosen, replayed)
    except ChannelClosedByBroker as error:
        if error.code != _NOT_FOUND:
            raise
        raise NotReplayedError(
            f"the broker has no exchange {REQUESTS!r}; run 'pointsman topology declare'"
        ) from error


async def _publish(
    settings: Settings, chosen: Sequence[ChosenLetter], replayed: list[RecordedLetter]
) -> int:
    refused = 0
    reader = RequestReader(settings.max_body_bytes, settings.reply_to_pattern)
    writer = ReplayWriter(reader, settings.broker.target.user)
    async with AsyncExitStack() as open_things:
        database = await open_things.enter_async_context(opened_database())
        connection = await connect(settings.broker, "pointsman dead-letters replay")
        open_things.push_async_callback(connection.close)
        publisher = await Publisher.open(connection)
        advance = open_things.enter_context(advancing("replaying", len(chosen)))
        async for portion in replay(database, publisher, writer, chosen):
            replayed += portion.letters
            refused += portion.refused
            advance(portion.size)
        await _tell_passed_over(database, chosen, replayed, refused)
    return refused


async def _tell_passed_over(
    database: Database,
    chosen: Sequence[ChosenLetter],
    replayed: Sequence[RecordedLetter],
    refused: int,
) -> None:
    """Tell of letters that another replay holds, or held when it was ended."""
    done = {letter.id for letter in replayed}
    left = [
        await count_letters(database, LetterFilter(ids=tuple(ids), statuses=_IN_THE_MIDDLE))
        for ids in portions([letter for letter in chosen if letter.id not in done])
    ]
    if (others := sum(left) - refused) > 0:
        click.echo(
            f"passed over, being replayed by another command: {others};"
            " if that was ended, replay them again",
            err=True,
        )
