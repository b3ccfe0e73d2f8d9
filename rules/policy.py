"""The base of policies: which rules and transforms a proposal goes through, in order."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import Any, TypeAlias

from rules.rule import BaseOrchestrationRule
from rules.states import StateType
from rules.transform import BaseUniversalTransform

RuleOrTransform: TypeAlias = type[BaseOrchestrationRule[Any]] | type[BaseUniversalTransform[Any]]


class BaseOrchestrationPolicy(ABC):
    """An ordered list of rules and transforms, never instantiated."""

    @staticmethod
    @abstractmethod
    def priority() -> Sequence[RuleOrTransform]:
        """The rules and transforms, the first to be entered first; always the same ones."""

    @classmethod
    @cache
    def compile_transition_rules(
        cls, from_state_type: StateType | None, to_state_type: StateType | None
    ) -> tuple[RuleOrTransform, ...]:
        """Those that can apply to this transition, none where nothing is proposed."""
        if to_state_type is None:
            return ()
        return tuple(
            entry
            for entry in cls.priority()
            if issubclass(entry, BaseUniversalTransform)
            or (from_state_type in entry.FROM_STATES and to_state_type in entry.TO_STATES)
        )
