import json
import re

import pytest
from pydantic_core import from_json

from consumer.commands.output import Row, print_facts, print_line, print_rows
from rules.identifiers import uuid7

ESCAPE = "\x1b[2J"


def test_rows_are_one_json_array_with_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([{"id": 1, "other": None}, {"id": 2, "other": "x"}], ["id"], as_json=True)
    assert from_json(capsys.readouterr().out) == [
        {"id": 1, "other": None},
        {"id": 2, "other": "x"},
    ]
    print_rows([], ["id"], as_json=True)
    assert json.loads(capsys.readouterr().out) == []


def test_rows_are_a_table_with_the_chosen_columns(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"run_id": 7, "is_open": True, "left_out": "x"}]
    print_rows(rows, ["run_id", "is_open", "gone"], as_json=False)
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["run", "id", "is", "open", "gone"]
    assert row.split() == ["7", "yes", "-"]


def test_a_row_stays_on_its_line_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([{"long": "x" * 500, "longer": "word " * 200}], ["long", "longer"], as_json=False)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_the_parts_of_a_tuple_are_lines_of_the_cell(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"tag": "db", "holders": ("first", "second")}, {"tag": "eu", "holders": ()}]
    print_rows(rows, ["tag", "holders"], as_json=False)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [["tag", "holders"], ["db", "first"], ["second"], ["eu", "-"]]


def test_a_mapping_is_told_by_its_keys(capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[Row] = [{"arguments": {"x-a": 1, "x-b": "two"}}, {"arguments": {}}]
    print_rows(rows, ["arguments"], as_json=False)
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert printed == ["arguments", "x-a=1, x-b=two", "-"]


def test_words_of_strangers_are_neither_markup_nor_orders_to_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    nasty = f"[/red] {ESCAPE}\nnext"
    print_rows([{"name": nasty, "names": (nasty,)}], ["name", "names"], as_json=False)
    print_facts(nasty, {"name": nasty})
    print_line(nasty)
    printed = capsys.readouterr().out
    assert printed.count(r"[/red] \x1b[2J next") == 5
    assert "\x1b" not in printed


def test_facts_that_there_are_stand_below_their_heading(capsys: pytest.CaptureFixture[str]) -> None:
    print_facts("task run 7", {"name": "extract", "message": None, "run count": 0})
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["task run 7", "  name       extract", "  run count  0"]


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 40 columns."""
    for name, value in {"FORCE_COLOR": "1", "NO_COLOR": "1", "COLUMNS": "40"}.items():
        monkeypatch.setenv(name, value)


def lines_of(printed: str) -> list[str]:
    return re.sub(r"\x1b\[\d*m", "", printed).splitlines()


@pytest.mark.usefixtures("narrow")
def test_a_table_fits_the_terminal_where_there_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([{"long": "word " * 20, "is_open": False}], ["is_open", "long"], as_json=False)
    printed = capsys.readouterr().out
    assert "no" in printed
    assert "word word" in printed
    lines = lines_of(printed)
    assert len(lines) > 2
    assert max(map(len, lines)) <= 40


@pytest.mark.usefixtures("narrow")
def test_an_id_is_whole_however_narrow_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = uuid7(), uuid7()
    rows: list[Row] = [
        {"id": first, "run_id": None, "why": ("one [b]", "another")},
        {"id": second, "run_id": first, "why": ()},
    ]
    print_rows(rows, ["id", "run_id", "why"], as_json=False)
    assert lines_of(capsys.readouterr().out) == [
        f"id      {first}",
        "run id  -",
        "why     one [b]",
        "        another",
        "",
        f"id      {second}",
        f"run id  {first}",
        "why     -",
    ]
    print_rows([{"id": 1}], ["id", "why"], as_json=False)
    assert [line.split() for line in lines_of(capsys.readouterr().out)] == [
        ["id", "why"],
        ["1", "-"],
    ]
