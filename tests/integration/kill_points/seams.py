"""Ways to be told when a consumer passes a place, without a trace in the consumer itself."""

import asyncio
import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

Passing = Callable[[], None]
"""Called each time that the place is passed."""

Arm = Callable[[Passing], None]
"""Makes a place tell that it is passed; for the rest of the process's life."""


def before(owner: Any, name: str, holds: Callable[..., bool] = lambda *_, **__: True) -> Arm:
    """The place just before a call, where it holds of the call's arguments."""

    def arm(passing: Passing) -> None:
        def around(original: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(original)
            def called(*args: Any, **kwargs: Any) -> Any:
                if holds(*args, **kwargs):
                    passing()
                return original(*args, **kwargs)

            return called

        replace(owner, name, around)

    return arm


def after(owner: Any, name: str, holds: Callable[..., bool] = lambda *_, **__: True) -> Arm:
    """The place just after a call that went well, where it holds of result and arguments."""

    def arm(passing: Passing) -> None:
        def around(original: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(original)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                result = await original(*args, **kwargs)
                if holds(result, *args, **kwargs):
                    passing()
                return result

            @wraps(original)
            def called(*args: Any, **kwargs: Any) -> Any:
                result = original(*args, **kwargs)
                if holds(result, *args, **kwargs):
                    passing()
                return result

            return awaited if inspect.iscoroutinefunction(original) else called

        replace(owner, name, around)

    return arm


def while_in(owner: Any, name: str, inner: Arm) -> Arm:
    """A place that counts only while a call of another, asynchronous function lasts."""

    def arm(passing: Passing) -> None:
        lasting = 0

        def around(original: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(original)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                nonlocal lasting
                lasting += 1
                try:
                    return await original(*args, **kwargs)
                finally:
                    lasting -= 1

            return awaited

        def passing_inside() -> None:
            if lasting:
                passing()

        replace(owner, name, around)
        inner(passing_inside)

    return arm


def held_until(release: Arm, owner: Any, name: str, then: Arm) -> Arm:
    """A place before which calls of an asynchronous function wait until another one is passed."""

    def arm(passing: Passing) -> None:
        released = asyncio.Event()

        def around(original: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(original)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                released.clear()
                await released.wait()
                return await original(*args, **kwargs)

            return awaited

        replace(owner, name, around)
        release(released.set)
        then(passing)

    return arm


def once_then(first: Arm, event: Callable[[], None], then: Arm) -> Arm:
    """A place that counts only after another one was passed, where something happens first."""

    def arm(passing: Passing) -> None:
        happened = False

        def let_it_happen() -> None:
            nonlocal happened
            if not happened:
                happened = True
                event()

        def passing_later() -> None:
            if happened:
                passing()

        first(let_it_happen)
        then(passing_later)

    return arm


def replace(
    owner: Any, name: str, around: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> None:
    """Put something around a function of a module or a method of a class."""
    static = inspect.getattr_static(owner, name)
    if isinstance(static, classmethod):
        setattr(owner, name, classmethod(around(static.__func__)))
    else:
        setattr(owner, name, around(static))
