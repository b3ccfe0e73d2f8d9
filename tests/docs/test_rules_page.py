"""The page of rules says what the policies say, and names tests that there are."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rules import (
    ANY_STATE,
    BaseOrchestrationPolicy,
    BaseOrchestrationRule,
    DecisionCode,
    StateType,
    policies,
)
from rules.rule import FINAL
from tests.docs.pages import DOCS, Row, code, page, rows, section

PAGE = page("rules.md")
RULES = {code(row[0]): row for row in rows(section(PAGE, "Rules"))}
TRANSFORMS = {code(row[0]): row for row in rows(section(PAGE, "Transforms"))}
POLICIES = {code(row[0]): row for row in rows(section(PAGE, "Policies"))}

ENTRIES = {
    entry
    for name in policies.__all__
    if issubclass(policy := getattr(policies, name), BaseOrchestrationPolicy)
    for entry in policy.priority()
}
OWN_RULES = {entry.__name__: entry for entry in ENTRIES if issubclass(entry, BaseOrchestrationRule)}
OWN_TRANSFORMS = {entry.__name__ for entry in ENTRIES} - OWN_RULES.keys()

ELSEWHERE = {DecisionCode.NOTHING_PROPOSED, DecisionCode.RULE_ERROR}
"""Codes of the engine's own, that are no rule's."""

NAMED_STATES = {"any": ANY_STATE, "final": FINAL}


def states(cell: str) -> frozenset[StateType | None]:
    """The states that a cell names."""
    if cell in NAMED_STATES:
        return NAMED_STATES[cell]
    names = cell.split(", ")
    return frozenset(None if name == "none" else StateType(name) for name in names)


def shown_by(row: Row) -> Iterator[tuple[str, str]]:
    """The file and the name of each test that a row names."""
    for name, file in re.findall(r"\[(test_\w+)\]\(([^)]+)\)", row[-1]):
        yield file, name


def functions_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_just_the_rules_of_the_policies_stand_in_the_table() -> None:
    assert sorted(RULES) == sorted(OWN_RULES)


def test_just_the_transforms_of_the_policies_stand_in_the_table() -> None:
    assert sorted(TRANSFORMS) == sorted(OWN_TRANSFORMS)


@pytest.mark.parametrize("name", sorted(OWN_RULES))
def test_a_rule_stands_there_with_its_states(name: str) -> None:
    _, from_states, to_states, *_ = RULES[name]
    assert states(from_states) == OWN_RULES[name].FROM_STATES
    assert states(to_states) == OWN_RULES[name].TO_STATES


def test_each_code_of_a_rule_stands_there() -> None:
    told = {code(told) for row in RULES.values() for told in row[4].split(", ") if told}
    assert told == set(DecisionCode) - ELSEWHERE


@pytest.mark.parametrize("name", policies.__all__)
def test_a_policy_stands_there_with_its_entries_in_order(name: str) -> None:
    entries = [entry.__name__ for entry in getattr(policies, name).priority()]
    assert POLICIES[name][-1] == (", ".join(entries) or "*none*")


@pytest.mark.parametrize("name", sorted(RULES | TRANSFORMS))
def test_each_names_tests_that_there_are(name: str) -> None:
    named = list(shown_by((RULES | TRANSFORMS)[name]))
    assert named
    for file, test in named:
        assert test in functions_in(DOCS / file)
