"""Rows and documents with gaps: cut once from a published specimen, then filled with the facts of many records.

A fact stands in a specimen as a *marker*, a value that occurs nowhere else. Wherever the marker turns up, alone in a
column or inside a document, the fact of each record goes. All else is the same for every record of that make.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Column, Table

from app.search.documents import SearchDocument
from benchmarks.synthetic.bulk import columns_of

Row = tuple[Any, ...]
Take = Callable[[Sequence[Any]], Any]
Keys = frozenset[tuple[str, int]]
"""The marker of a fact that is an internal key: tables, each with the key for which it stands there."""


@dataclass(frozen=True)
class Template:
    """Rows of a record, and what it is found by. Their cells are numbered: constants, facts, texts, bodies, digests."""

    constants: Row
    texts: tuple[tuple[str, Take], ...]
    """Formats, with what they take of the facts."""
    bodies: tuple[tuple[str, Take], ...]
    rows: tuple[tuple[str, tuple[Take, ...]], ...]
    """By table, what each row takes of the cells."""
    found: SearchDocument | None
    found_cells: dict[str, int]
    """String in `found` → number of the cell that goes in its place."""

    def cells(self, facts: Row) -> Row:
        texts = [text % take(facts) for text, take in self.texts]
        bodies = [(text % take(facts)).encode() for text, take in self.bodies]
        return (*self.constants, *facts, *texts, *bodies, *map(_digest, bodies))

    def found_by(self, cells: Row) -> SearchDocument:
        by = {text: cells[number] for text, number in self.found_cells.items()}
        return SearchDocument(**{name: _replaced(value, by) for name, value in vars(self.found).items()})


def _digest(body: bytes) -> str:
    """Of the document as it was printed at serial 0; of itself it knows its serial in the permalink alone."""
    return blake2b(body.replace(b'?serial=1"', b'?serial=0"', 1), digest_size=16).hexdigest()


def _replaced(value: Any, by: dict[str, Any]) -> Any:
    if isinstance(value, str):
        return by.get(value, value)
    if isinstance(value, tuple):
        return tuple([_replaced(part, by) for part in value])
    if isinstance(value, dict):
        return {name: _replaced(part, by) for name, part in value.items()}
    return value


# --- cutting ------------------------------------------------------------------------------------------------------


class _Cell(NamedTuple):
    kind: str
    value: Any
    """Number of the fact; type and value of the constant; format and facts of the text or body."""


class Cutter:
    """Cuts templates from specimens that hold these markers, given in the order of the facts."""

    def __init__(self, markers: Sequence[Any]) -> None:
        self._count = len(markers)
        numbered = list(enumerate(markers))
        self._by_key = {key: n for n, marker in numbered if isinstance(marker, frozenset) for key in marker}
        self._by_value = {marker: n for n, marker in numbered if not isinstance(marker, frozenset)}
        self._by_text = {str(marker): n for marker, n in self._by_value.items()}
        longest_first = sorted(self._by_text, key=len, reverse=True)
        self._marker = re.compile("|".join(map(re.escape, longest_first)))

    def cut(self, rows: Iterable[tuple[Table, Row]], found: SearchDocument | None = None) -> Template:
        """Rows give the columns that `columns_of` names."""
        kinds: dict[str, dict[_Cell, int]] = {"constant": {}, "text": {}, "body": {}}
        by_table: dict[str, list[list[_Cell]]] = {}
        for table, row in rows:
            by_table.setdefault(table.name, []).append(self._row(table, row))
        words = {word: self._text(word) for word in _strings(vars(found) if found else ())}
        words = {word: cell for word, cell in words.items() if cell.kind != "constant"}
        for cell in (*words.values(), *(cell for cut in by_table.values() for row in cut for cell in row)):
            if cell.kind in kinds:
                kinds[cell.kind].setdefault(cell, len(kinds[cell.kind]))
        starts = {"constant": 0, "fact": len(kinds["constant"])}
        starts["text"] = starts["fact"] + self._count
        starts["body"] = starts["text"] + len(kinds["text"])
        starts["digest"] = starts["body"] + len(kinds["body"])

        def number(cell: _Cell) -> int:
            if cell.kind == "fact":
                return starts["fact"] + int(cell.value)
            if cell.kind == "digest":
                return starts["digest"] + kinds["body"][_Cell("body", cell.value)]
            return starts[cell.kind] + kinds[cell.kind][cell]

        return Template(
            constants=tuple(cell.value[1] for cell in kinds["constant"]),
            texts=tuple((cell.value[0], itemgetter(*cell.value[1])) for cell in kinds["text"]),
            bodies=tuple((cell.value[0], itemgetter(*cell.value[1])) for cell in kinds["body"]),
            rows=tuple((name, tuple(itemgetter(*map(number, row)) for row in cut)) for name, cut in by_table.items()),
            found=found,
            found_cells={word: number(cell) for word, cell in words.items()},
        )

    def _row(self, table: Table, row: Row) -> list[_Cell]:
        names = columns_of(table)
        cut = [self._cell(table.columns[name], value) for name, value in zip(names, row, strict=True)]
        if "digest" in names:
            cut[names.index("digest")] = _Cell("digest", cut[names.index("body")].value)
        return cut

    def _cell(self, column: Column[Any], value: Any) -> _Cell:
        table = _refers_to(column)
        if table is not None and value is not None:
            return _Cell("fact", self._by_key[table, value])
        if isinstance(value, bytes):
            return _Cell("body", self._text(value.decode()).value)
        if isinstance(value, str):
            return self._text(value)
        return _Cell("fact", self._by_value[value]) if value in self._by_value else _constant(value)

    def _text(self, text: str) -> _Cell:
        if text in self._by_text:
            return _Cell("fact", self._by_text[text])
        facts = tuple(self._by_text[marker] for marker in self._marker.findall(text))
        gaps = self._marker.sub("\0", text).replace("%", "%%").replace("\0", "%s")
        return _Cell("text", (gaps, facts)) if facts else _constant(text)


def _constant(value: Any) -> _Cell:
    return _Cell("constant", (type(value), value))  # 1 and 1.0 are not the same to PostgreSQL


def _refers_to(column: Column[Any]) -> str | None:
    """The table whose internal keys the column holds."""
    if column.name == "pk":
        return column.table.name
    return next((key.column.table.name for key in column.foreign_keys if key.column.name == "pk"), None)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield str(value)
    elif isinstance(value, dict):
        yield from _strings(tuple(value.values()))
    elif isinstance(value, tuple):
        for part in value:
            yield from _strings(part)
