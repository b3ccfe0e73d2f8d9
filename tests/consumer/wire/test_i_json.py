import pytest

from consumer.wire.i_json import NotInteroperableError, check_i_json


@pytest.mark.parametrize(
    "text",
    [
        b"null",
        b'{"a": {"a": [{"a": 1}, {"a": 2}]}, "b": {"a": 1}}',
        b"[1e308, -0.0, 5e-324, 1e-999]",
        b"9" * 4_300,
        b'{"a": "NaN", "Infinity": "1e999"}',
        b'["\\\\u0000"]',
    ],
)
def test_what_all_parsers_read_alike_passes(text: bytes) -> None:
    check_i_json(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"a": 1, "b": 2, "a": 1}', "the key 'a' comes twice"),
        (b'[{"x": {"": null, "": null}}]', "the key '' comes twice"),
        (b'{"a": 1, "\\u0061": 2}', "the key 'a' comes twice"),
        (b'{"%s": 1, "%s": 2}' % (b"k" * 5_000, b"k" * 5_000), "kkk comes twice"),
        (b'{"a\\u0000": 1, "a\\u0000": 2}', r"the key 'a\x00' comes twice"),
        (b"[NaN]", "NaN is no finite number"),
        (b"-Infinity", "-Infinity is no finite number"),
        (b"[-1e999]", "the number -1e999 is too large"),
        (b"1" + b"0" * 400 + b".0", "000 is too large"),
        (b'{"a": ["\\u0000"]}', "NUL"),
        (b'{"a\\u0000": 1}', "NUL"),
        (b"[" * 100_000, "do not agree"),
        (b"\xff", "do not agree"),
    ],
)
def test_what_they_do_not_is_refused_in_a_short_sentence(text: bytes, said: str) -> None:
    with pytest.raises(NotInteroperableError) as caught:
        check_i_json(text)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 200
