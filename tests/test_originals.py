"""Originals are made once, are never seen half made, and give way to those of newer code."""

from multiprocessing.pool import ThreadPool
from pathlib import Path

import pytest

from tests import originals
from tests.originals import copy_original


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(originals, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(originals, "digest", lambda: "today")


def test_whoever_comes_first_makes_it_and_all_get_a_copy(tmp_path: Path) -> None:
    made = []

    def make(path: Path) -> None:
        made.append(path)
        path.write_text("an original")

    with ThreadPool(4) as pool:
        pool.map(lambda number: copy_original("one", make, tmp_path / f"copy-{number}"), range(8))
    assert len(made) == 1
    assert {(tmp_path / f"copy-{number}").read_text() for number in range(8)} == {"an original"}


def test_what_was_left_half_made_is_removed_and_made_again(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.mkdir()
        raise KeyboardInterrupt

    def make(path: Path) -> None:
        path.mkdir()
        (path / "part").write_text("whole")

    with pytest.raises(KeyboardInterrupt):
        copy_original("one", fail, tmp_path / "nothing")
    copy_original("one", make, tmp_path / "copy")
    assert (tmp_path / "copy" / "part").read_text() == "whole"
    assert sorted(path.name for path in originals.CACHE.iterdir()) == ["one-today", "one.lock"]


def test_an_original_of_older_code_gives_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy_original("one", lambda path: path.mkdir(), tmp_path / "old")
    monkeypatch.setattr(originals, "digest", lambda: "tomorrow")
    copy_original("one", lambda path: path.mkdir(), tmp_path / "new")
    assert [path.name for path in originals.CACHE.glob("one-*")] == ["one-tomorrow"]
