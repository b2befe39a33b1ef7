"""JSON of others is read within bounds."""

import pytest

from app.core.json_reader import MAX_DEPTH, read_json


def test_values_of_every_kind_are_read() -> None:
    assert read_json(b'{"a": [1, 2.5, "]}\\"[[{", null, true]}') == {"a": [1, 2.5, ']}"[[{', None, True]}


def test_levels_are_bounded() -> None:
    deepest = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert read_json(deepest + b" ")
    for raw in (b"[" + deepest + b"]", b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000):
        with pytest.raises(ValueError, match=r"nested|recursion"):
            read_json(raw)


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"1" + b"0" * 5000, b"[" * 100_000, b'"' + b'\\"' * 100_000])
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of the parser
        read_json(raw)
