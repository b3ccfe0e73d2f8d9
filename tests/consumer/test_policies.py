from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from consumer.errors import SettingsError
from consumer.policies import load_policy
from rules.policies import CoreFlowPolicy, CoreTaskPolicy
from rules.policy import BaseOrchestrationPolicy, RuleOrTransform
from rules.rule import GenericOrchestrationRule
from rules.transform import (
    FlowRunUniversalTransform,
    GenericUniversalTransform,
    TaskRunUniversalTransform,
)

SETTING = "POINTSMAN_TASK_POLICY"


@pytest.mark.parametrize("path", ["rules.policies:CoreTaskPolicy", "rules.policies.CoreTaskPolicy"])
def test_a_policy_is_named_by_module_and_class(path: str) -> None:
    assert load_policy(path, SETTING) is CoreTaskPolicy


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("CoreTaskPolicy", "package.module:Class"),
        ("", "package.module:Class"),
        ("nowhere.at_all:Policy", "can't be imported"),
        ("rules.policies:Missing", "has no 'Missing'"),
        ("rules.policies:__name__", "is no policy"),
        ("rules.states:State", "is no policy"),
        ("rules.policy:BaseOrchestrationPolicy", "has no priority()"),
    ],
)
def test_what_can_not_be_used_is_told_with_the_settings_name(path: str, said: str) -> None:
    with pytest.raises(SettingsError, match=SETTING) as told:
        load_policy(path, SETTING)
    assert said in str(told.value)


class Limited(GenericOrchestrationRule):
    pass


class Stamped(GenericUniversalTransform):
    pass


class OfFlowRuns(FlowRunUniversalTransform):
    pass


class OfTaskRuns(TaskRunUniversalTransform):
    pass


def lists(*entries: Any) -> type[BaseOrchestrationPolicy]:
    class Listing(BaseOrchestrationPolicy):
        @staticmethod
        def priority() -> Sequence[RuleOrTransform]:
            return entries

    return Listing


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Loads a policy as if it stood in this module."""

    def load(policy: type[BaseOrchestrationPolicy], setting: str) -> object:
        monkeypatch.setattr(f"{__name__}.Own", policy, raising=False)
        return load_policy(f"{__name__}:Own", setting)

    return load


@pytest.mark.parametrize("setting", ["POINTSMAN_TASK_POLICY", "POINTSMAN_FLOW_POLICY"])
@pytest.mark.parametrize("policy", [lists(), lists(Limited, Stamped)])
def test_what_is_for_runs_of_both_kinds_fits_both(
    load: Any, policy: type[BaseOrchestrationPolicy], setting: str
) -> None:
    assert load(policy, setting) is policy


@pytest.mark.parametrize(
    ("policy", "setting", "said"),
    [
        (CoreFlowPolicy, "POINTSMAN_TASK_POLICY", "no policy for task runs"),
        (CoreTaskPolicy, "POINTSMAN_FLOW_POLICY", "no policy for flow runs"),
        (lists(Limited, OfFlowRuns), "POINTSMAN_TASK_POLICY", "OfFlowRuns in it is for flow runs"),
        (lists(Limited, OfTaskRuns), "POINTSMAN_FLOW_POLICY", "OfTaskRuns in it is for task runs"),
        (lists(Limited, int), "POINTSMAN_FLOW_POLICY", "neither a rule nor a transform"),
        (lists(1), "POINTSMAN_TASK_POLICY", "neither a rule nor a transform"),
    ],
)
def test_a_policy_for_other_runs_is_refused(
    load: Any, policy: type[BaseOrchestrationPolicy], setting: str, said: str
) -> None:
    with pytest.raises(SettingsError, match=f"^{setting}: .*{said}"):
        load(policy, setting)


def test_a_policy_whose_list_fails_is_told(load: Any) -> None:
    class Failing(BaseOrchestrationPolicy):
        @staticmethod
        def priority() -> Sequence[RuleOrTransform]:
            raise LookupError("nothing there")

    with pytest.raises(SettingsError, match="failed: LookupError: nothing there"):
        load(Failing, SETTING)


def test_a_module_that_fails_when_imported_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_policy.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SettingsError, match="ZeroDivisionError"):
        load_policy("broken_policy:Policy", SETTING)
