"""How PostgreSQL would carry statements out, and what of that reads tables whole."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tests.persistence.statements import Sent

_NODE, _PARTS, _TABLE = "Node Type", "Plans", "Relation Name"
_BY_INDEX = frozenset({"Index Scan", "Index Only Scan", "Bitmap Index Scan"})


@dataclass(frozen=True, slots=True)
class Plan:
    """One statement's; ``generic`` is the one for whatever parameters it comes with."""

    text: str
    generic: bool
    root: dict[str, Any]

    def tables_read(self) -> set[str]:
        """Which tables it looks something up in."""
        return {node[_TABLE] for node in _nodes(self.root) if _TABLE in node and _reads(node)}

    def whole_reads(self) -> list[str]:
        """What in it takes longer the more rows there are, whether or not they are wanted.

        That is a table read from end to end, and an index so read, to which no key led.
        """
        return [
            f"{node[_NODE]} of {node.get(_TABLE) or node.get('Index Name')}: {self.text}"
            for node in _nodes(self.root)
            if node[_NODE] == "Seq Scan" or (node[_NODE] in _BY_INDEX and "Index Cond" not in node)
        ]


async def plans_of(engine: AsyncEngine, sent: Iterable[Sent]) -> list[Plan]:
    """Each statement's plan for its parameters, and the one that serves all parameters.

    A driver's prepared statement gets the one at first, and may get the other later.
    """
    plans: list[Plan] = []
    async with engine.connect() as connection:
        await connection.exec_driver_sql("SET plan_cache_mode = force_generic_plan")
        for each in sent:
            root = await _explained(connection, each.text, each.parameters)
            plans.append(Plan(each.text, generic=False, root=root))
            plans.append(Plan(each.text, generic=True, root=await _generic(connection, each)))
    return plans


async def _generic(connection: AsyncConnection, sent: Sent) -> dict[str, Any]:
    anything = ", ".join(["NULL"] * len(sent.parameters))
    await connection.exec_driver_sql(f"PREPARE asked AS {sent.text}")
    root = await _explained(connection, f"EXECUTE asked {anything and f'({anything})'}")
    await connection.exec_driver_sql("DEALLOCATE asked")
    return root


async def _explained(
    connection: AsyncConnection, statement: str, parameters: tuple[Any, ...] = ()
) -> dict[str, Any]:
    explaining = f"EXPLAIN (FORMAT JSON) {statement}"
    found = (await connection.exec_driver_sql(explaining, parameters)).scalar_one()
    [explained] = found if isinstance(found, list) else from_json(found)
    root: dict[str, Any] = explained["Plan"]
    return root


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for part in node.get(_PARTS, ()):
        yield from _nodes(part)


def _reads(node: dict[str, Any]) -> bool:
    return bool(node[_NODE] != "ModifyTable")
