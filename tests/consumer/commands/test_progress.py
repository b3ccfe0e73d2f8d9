import pytest

from consumer.commands.progress import advancing


def test_a_terminal_is_shown_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with advancing("replaying", 3) as advance:
        advance(2)
    out, err = capsys.readouterr()
    assert "replaying" in err
    assert "/3" in err
    assert out == ""


def test_what_is_no_terminal_is_told_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    with advancing("replaying", 3) as advance:
        advance(3)
    assert capsys.readouterr() == ("", "")
