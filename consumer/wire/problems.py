"""What is wrong with a message, told to its producer."""

from pydantic import ValidationError

_MAX_TOLD = 3
_MAX_CHARACTERS = 500
_OUR_OWN = "Value error, "


def sentence(error: ValidationError, *, within: str = "") -> str:
    """The first few problems by their place in the message, without the values themselves."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    told = []
    for problem in problems[:_MAX_TOLD]:
        place = ".".join(str(part) for part in (within, *problem["loc"]) if part != "")
        message = problem["msg"].removeprefix(_OUR_OWN)
        told.append(f"{place}: {message}" if place else message)
    if len(problems) > _MAX_TOLD:
        told.append(f"and {len(problems) - _MAX_TOLD} more")
    return shown("; ".join(told))[:_MAX_CHARACTERS]


def shown(text: str) -> str:
    """The text with what no terminal should be sent, and no database keeps, written as escapes.

    A stranger may have made up the names in it.
    """
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
