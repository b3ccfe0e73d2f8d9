import pytest

from consumer.wire.problems import shown
from tests.consumer.wire.messages import body, refused


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("a\0b", r"a\x00b: Extra inputs"),
        ("\x1b[2J", r"\x1b[2J: Extra inputs"),
        ("a\r\nb", r"a\r\nb: Extra inputs"),
        ("\u202egnp", r"\u202egnp: Extra inputs"),
        ("größe", "größe: Extra inputs"),
    ],
)
def test_a_name_that_a_stranger_made_up_is_told_in_printable_characters(
    key: str, said: str
) -> None:
    assert said in refused(body(**{key: 1}))


def test_what_can_be_printed_is_shown_as_it_is() -> None:
    assert shown("Grüße, 世界") == "Grüße, 世界"


def test_a_refusal_is_short_whatever_it_is_about() -> None:
    long_names = {"\x1b" * 900 + str(number): 1 for number in range(9)}
    assert len(refused(body(**long_names))) <= 500
