"""Rows and documents with gaps: cut once from a published specimen, then filled with the facts of many records.

A fact stands in a specimen as a *marker*, a value that occurs nowhere else. Wherever the marker turns up, alone in a
column or inside a document, the fact of each record goes. All else is the same for every record of that pattern.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Column, Table

from app.search.documents import SearchDocument
from benchmarks.synthetic.bulk import Row, columns_of

Getter = Callable[[Sequence[Any]], Any]
Keys = frozenset[tuple[str, int]]
"""The marker of a fact that is an internal key: tables, each with the key for which it stands there."""


@dataclass(frozen=True)
class Template:
    """Rows of a record and its search document, made of numbered cells: constants, facts, texts, bodies, digests."""

    constants: Row
    texts: tuple[tuple[str, Getter], ...]
    """Formats, with what they take of the facts."""
    bodies: tuple[tuple[str, Getter], ...]
    rows: tuple[tuple[str, tuple[Getter, ...]], ...]
    """By table, what each row takes of the cells."""
    search_document: SearchDocument | None
    search_cells: dict[str, int]
    """String in the search document → number of the cell that goes in its place."""

    def cells(self, facts: Row) -> Row:
        texts = [text % get(facts) for text, get in self.texts]
        bodies = [(text % get(facts)).encode() for text, get in self.bodies]
        return (*self.constants, *facts, *texts, *bodies, *map(_digest, bodies))

    def filled_search_document(self, cells: Row) -> SearchDocument:
        values = {text: cells[number] for text, number in self.search_cells.items()}
        return SearchDocument(**{name: _replace(value, values) for name, value in vars(self.search_document).items()})


def _digest(body: bytes) -> str:
    """Of the document as it is rendered at serial 0. A document holds its own serial only in the permalink."""
    return blake2b(body.replace(b'?serial=1"', b'?serial=0"', 1), digest_size=16).hexdigest()


def _replace(value: Any, values: dict[str, Any]) -> Any:
    if isinstance(value, str):
        return values.get(value, value)
    if isinstance(value, tuple):
        return tuple([_replace(part, values) for part in value])
    if isinstance(value, dict):
        return {name: _replace(part, values) for name, part in value.items()}
    return value


# --- cutting ------------------------------------------------------------------------------------------------------


class _Cell(NamedTuple):
    kind: str
    value: Any
    """Number of the fact; type and value of the constant; format and facts of the text, body or digest."""


class TemplateCutter:
    """Cuts templates from specimens that hold these markers, given in the order of the facts."""

    def __init__(self, markers: Sequence[Any]) -> None:
        self._count = len(markers)
        numbered = list(enumerate(markers))
        self._by_key = {key: n for n, marker in numbered if isinstance(marker, frozenset) for key in marker}
        self._by_value = {marker: n for n, marker in numbered if not isinstance(marker, frozenset)}
        self._by_text = {str(marker): n for marker, n in self._by_value.items()}
        longest_first = sorted(self._by_text, key=len, reverse=True)
        self._marker = re.compile("|".join(map(re.escape, longest_first)))

    def cut(self, rows: Iterable[tuple[Table, Row]], search_document: SearchDocument | None = None) -> Template:
        """The template of rows, which give the columns that `columns_of` names, and of a search document."""
        rows_by_table: dict[str, list[list[_Cell]]] = {}
        for table, row in rows:
            rows_by_table.setdefault(table.name, []).append(self._row(table, row))
        texts = {text: self._text(text) for text in _strings(vars(search_document) if search_document else ())}
        search_cells = {text: cell for text, cell in texts.items() if cell.kind != "constant"}
        cells = [*search_cells.values(), *(cell for rows in rows_by_table.values() for row in rows for cell in row)]
        by_kind = {
            kind: list(dict.fromkeys(cell for cell in cells if cell.kind == kind))
            for kind in ("constant", "text", "body", "digest")
        }
        by_kind["digest"] = [_Cell("digest", body.value) for body in by_kind["body"]]
        facts = [_Cell("fact", number) for number in range(self._count)]
        order = [*by_kind["constant"], *facts, *by_kind["text"], *by_kind["body"], *by_kind["digest"]]
        number = {cell: position for position, cell in enumerate(order)}
        return Template(
            constants=tuple(cell.value[1] for cell in by_kind["constant"]),
            texts=tuple((cell.value[0], itemgetter(*cell.value[1])) for cell in by_kind["text"]),
            bodies=tuple((cell.value[0], itemgetter(*cell.value[1])) for cell in by_kind["body"]),
            rows=tuple(
                (name, tuple(itemgetter(*map(number.__getitem__, row)) for row in rows))
                for name, rows in rows_by_table.items()
            ),
            search_document=search_document,
            search_cells={text: number[cell] for text, cell in search_cells.items()},
        )

    def _row(self, table: Table, row: Row) -> list[_Cell]:
        names = columns_of(table)
        cells = [self._cell(table.columns[name], value) for name, value in zip(names, row, strict=True)]
        if "digest" in names:
            cells[names.index("digest")] = _Cell("digest", cells[names.index("body")].value)
        return cells

    def _cell(self, column: Column[Any], value: Any) -> _Cell:
        table = _referenced_table(column)
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


def _referenced_table(column: Column[Any]) -> str | None:
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
