from pathlib import Path

import pytest

from consumer.errors import SettingsError
from consumer.policies import load_policy
from rules.policies import CoreTaskPolicy

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


def test_a_module_that_fails_when_imported_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_policy.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SettingsError, match="ZeroDivisionError"):
        load_policy("broken_policy:Policy", SETTING)
