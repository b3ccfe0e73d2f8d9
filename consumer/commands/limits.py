"""``pointsman limits``: how many task runs with a tag may run at a time."""

import asyncio

import click

from consumer.commands.output import Row, json_option, print_line, print_rows
from consumer.commands.parameters import MOST, Tag
from consumer.commands.storage import opened_database
from consumer.errors import PointsmanError
from consumer.explaining.wording import moment
from persistence.limits import (
    FreedSlot,
    Holder,
    Limit,
    delete_limit,
    list_limits,
    reset_slots,
    set_limit,
)

_COLUMNS = ("tag", "slots", "taken", "holders")
_FREED_COLUMNS = ("tag", "task_run_id", "name", "state_type")
_NEGATIVE_NUMBERS = {"ignore_unknown_options": True}
"""Without this, -1 is taken for an option."""


class NoSuchLimitError(PointsmanError):
    """A tag has no limit."""

    def __init__(self, tags: list[str]) -> None:
        named = ", ".join(repr(tag) for tag in tags)
        super().__init__(f"there is no limit of {named}; 'pointsman limits list' shows all")


@click.group(name="limits")
def command() -> None:
    """Say how many task runs with a tag may run at a time."""


@command.command(name="set", context_settings=_NEGATIVE_NUMBERS)
@click.argument("tag", type=Tag())
@click.argument("slots", metavar="N", type=click.IntRange(0, MOST))
@json_option
def set_command(*, tag: str, slots: int, as_json: bool) -> None:
    """Let N task runs with the tag run at a time; 0 lets none start.

    Task runs with the tag that are RUNNING become holders of a slot, all of them, even if they are
    more than N. While they are entered nothing is governed, which takes a moment.
    """
    limit = asyncio.run(_set(tag, slots))
    _print([limit], as_json=as_json)
    if 0 < limit.slots < len(limit.holders) and not as_json:
        print_line(f"no other starts while {limit.slots} or more of them hold a slot")


@command.command(name="list")
@json_option
def list_command(*, as_json: bool) -> None:
    """List the limits, by tag, and who holds their slots, the oldest first."""
    limits = asyncio.run(_list())
    if not limits and not as_json:
        print_line("no tag has a limit")
        return
    _print(limits, as_json=as_json)


@command.command(name="delete")
@click.argument("tag", type=Tag())
@json_option
def delete_command(*, tag: str, as_json: bool) -> None:
    """Take the limit of the tag away; its holders run on."""
    deleted = asyncio.run(_delete(tag))
    if as_json:
        _print([deleted], as_json=True)
    else:
        print_line(f"the limit of {tag!r} is deleted; holders of its slots: {len(deleted.holders)}")


@command.command(name="reset")
@click.argument("tags", metavar="[TAG]...", nargs=-1, type=Tag())
@json_option
def reset_command(*, tags: tuple[str, ...], as_json: bool) -> None:
    """Free the slots of task runs that are no longer RUNNING, of these tags or of all.

    Each task run that lost a slot is named. Those that are RUNNING keep theirs, and so do those
    that are CANCELLING, for they still run. Pointsman frees slots by itself: one to be freed here
    was left by a policy without ReleaseTaskConcurrencySlots, or by a hand in the database.
    """
    freed = asyncio.run(_reset(tags))
    if not freed and not as_json:
        print_line("no slot had to be freed")
        return
    print_rows([_freed_row(slot) for slot in freed], _FREED_COLUMNS, as_json=as_json)


async def _set(tag: str, slots: int) -> Limit:
    async with opened_database() as database:
        await set_limit(database, tag, slots)
        for limit in await list_limits(database, tag):
            return limit
    raise NoSuchLimitError([tag])  # deleted by another at this very moment


async def _list() -> list[Limit]:
    async with opened_database() as database:
        return await list_limits(database)


async def _delete(tag: str) -> Limit:
    async with opened_database() as database:
        for limit in await list_limits(database, tag):
            if await delete_limit(database, tag):
                return limit
    raise NoSuchLimitError([tag])


async def _reset(tags: tuple[str, ...]) -> list[FreedSlot]:
    async with opened_database() as database:
        if tags:
            known = {limit.tag for limit in await list_limits(database, *tags)}
            if unknown := [tag for tag in tags if tag not in known]:
                raise NoSuchLimitError(unknown)
        return await reset_slots(database, *tags)


def _print(limits: list[Limit], *, as_json: bool) -> None:
    told = _holder_row if as_json else _holder_line
    rows: list[Row] = [
        {
            "tag": limit.tag,
            "slots": limit.slots,
            "taken": len(limit.holders),
            "holders": tuple(told(holder) for holder in limit.holders),
        }
        for limit in limits
    ]
    print_rows(rows, _COLUMNS, as_json=as_json)


def _holder_row(holder: Holder) -> Row:
    return {
        "task_run_id": holder.task_run_id,
        "name": holder.name,
        "state_type": holder.state_type,
        "taken_at": holder.taken_at,
    }


def _holder_line(holder: Holder) -> str:
    named = f"{holder.task_run_id} {holder.name or ''}".strip()
    return f"{named}, {holder.state_type or 'no state'}, since {moment(holder.taken_at)}"


def _freed_row(slot: FreedSlot) -> Row:
    return {
        "tag": slot.tag,
        "task_run_id": slot.task_run_id,
        "name": slot.name,
        "state_type": slot.state_type,
    }
