"""Typeahead: names that continue what was typed, or else records that have all words of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from pydantic_core import from_json
from sqlalchemy.orm import Session

from app.concepts.drug_index import drug_index
from app.concepts.manifest import current_code_systems
from app.core.folding import words
from app.registry import BY_TYPE
from app.search.analyzer import WRITTEN_WORD, Phrase, stem
from app.search.documents import WITHOUT_CLAIMS
from app.search.index import MAX_NAME_LENGTH
from app.search.matching import matching_keys
from app.search.query_parser import MIN_PREFIX, parse_query
from app.search.ranking import COLUMNS, rank, weigh
from app.search.spelling import nearest_prefix
from app.search.spellings import normal_text, possible_codes, spellings
from app.search.term_statistics import TermStatistics, after_prefix, fetch, term_statistics
from app.search.terms import QueryTerm
from app.search.word_lists import STOP_WORDS, WordLists

MAX_READ = 1000
"""Names that are read, of concepts and of other records each: one letter starts very many."""
MAX_MATCHED = 60
"""Records with all words typed that are read and ranked."""
MIN_LETTERS = 2
"""Of a last word that may stand anywhere in a record."""

MAX_PHRASE_WORDS = 4
"""Words at the end of what was typed that may begin a phrase."""

_SHOWN_AS = {"claim": "statement", **dict.fromkeys(("document", "dosing_range", "search"), "title")}
"""Type -> what its heading is, if not a name."""


@dataclass(frozen=True)
class NameSuggestion:
    type: str
    id: str
    label: str
    matched: str
    matched_on: str
    start: str
    """The folded text that the matched name continues or of which it has words, for `typed_parts`."""


def suggest(
    session: Session, text: str, limit: int, types: Sequence[str], *, all_drugs: bool = False
) -> list[NameSuggestion]:
    """Names of which some word starts with what was typed, in any spelling of a code or identifier; then records whose
    title shows it. If no name does, records that have all words typed, the last maybe unfinished, or other words for
    them; if these are none either, one slip in the last word is forgiven.

    Interventions without claims are left out unless `all_drugs`.
    """
    typed = words(text)
    if not typed:
        return []
    suggestions = _suggestions(session, " ".join(typed), limit, types)
    if all_drugs and (not types or "intervention" in types):
        suggestions = [*suggestions, *_drugs(session, " ".join(typed), suggestions)][:limit]
    statistics = term_statistics(session)
    for start in _other_spellings(session, statistics, text) if not suggestions else ():
        suggestions = suggestions or _suggestions(session, start, limit, types)
    if len(suggestions) < limit:
        suggestions = _completed(suggestions, _with_words(session, statistics, typed, limit, types))[:limit]
    if not suggestions and (nearest := nearest_prefix(session, statistics, typed[-1])):
        corrected = [*typed[:-1], nearest]
        suggestions = _suggestions(session, " ".join(corrected), limit, types)
        suggestions = suggestions or _with_words(session, statistics, corrected, limit, types)
    return suggestions


def _other_spellings(session: Session, statistics: TermStatistics, text: str) -> Iterator[str]:
    """Folded, of what may be a code, an identifier or a short name with a number."""
    others = [normal_text(session, statistics, text), *possible_codes(current_code_systems(session), text)]
    yield from dict.fromkeys(" ".join(way) for other in others for way in spellings(tuple(words(other))) if way)


def _with_words(
    session: Session, statistics: TermStatistics, typed: Sequence[str], limit: int, types: Sequence[str]
) -> list[NameSuggestion]:
    """Records that have all words typed, in any order and place, the best first."""
    last = typed[-1]
    starts = range(max(0, len(typed) - MAX_PHRASE_WORDS), len(typed))
    start, meant = next(
        ((n, some) for n in starts if (some := _meant_by(typed[n:], statistics.lists))), (len(typed) - 1, ())
    )
    question = parse_query(session, statistics, " ".join(word for word in typed[:start] if word not in STOP_WORDS))
    if question.is_relaxed or (len(last) < MIN_LETTERS and not meant):
        return []
    continued = (last, *statistics.words_with_prefix(session, last)) if start == len(typed) - 1 else ()
    terms = (*question.terms, QueryTerm(tuple(dict.fromkeys((*((stem(word),) for word in continued), *meant)))))
    keys = matching_keys(session, [terms], {"type": types}, MAX_MATCHED)
    if not keys:
        return []
    rows = fetch(session, f"SELECT {COLUMNS}, label, heading FROM search_entries WHERE pk IN ?", keys)  # noqa: S608
    shown = {pk: (label, heading) for pk, *_, label, heading in rows}
    named = [row[:-2] for row in rows if row[COLUMNS.split(", ").index("rank")] != WITHOUT_CLAIMS]
    hits = rank(named, terms, weigh(session, statistics, terms), set(), " ".join(typed))[:limit]
    return [
        NameSuggestion(hit.type, hit.id, *shown[hit.pk], _SHOWN_AS.get(hit.type, "name"), " ".join(typed))
        for hit in hits
    ]


def _completed(suggestions: list[NameSuggestion], others: list[NameSuggestion]) -> list[NameSuggestion]:
    """Names, and then records that show what was typed; without names, all others."""
    known = {(suggestion.type, suggestion.id) for suggestion in suggestions}
    shown = [
        one for one in others if [was_typed for _, was_typed in typed_parts(one.matched, one.start)].count(True) == 1
    ]
    return [*suggestions, *(one for one in shown if (one.type, one.id) not in known)] if suggestions else others


def _meant_by(typed: Sequence[str], lists: WordLists) -> tuple[Phrase, ...]:
    """What people mean who begin like this: `vivid dream` for `nightm`, `stop` for `coming o`."""
    return lists.meant_by(" ".join(typed)) if len(typed[-1]) >= MIN_PREFIX or len(typed) > 1 else ()


def _drugs(session: Session, start: str, known: Sequence[NameSuggestion]) -> list[NameSuggestion]:
    """Drugs that are not among the suggestions yet, each by the first of its names that continues what was typed."""
    ids = {suggestion.id for suggestion in known if suggestion.type == "intervention"}
    suggestions: dict[str, NameSuggestion] = {}
    for name in drug_index(session).names_starting_with(start):
        if name.drug.id not in ids:
            suggestion = NameSuggestion("intervention", name.drug.id, name.drug.name, name.text, name.matched_by, start)
            suggestions.setdefault(name.drug.id, suggestion)
    return list(suggestions.values())


def _suggestions(session: Session, start: str, limit: int, types: Sequence[str]) -> list[NameSuggestion]:
    """The first name of each record; of drugs, which have names in many languages, rather the record's own."""
    rows = [row for is_concept in (True, False) for row in _names(session, start[:MAX_NAME_LENGTH], is_concept, types)]
    suggestions: dict[tuple[str, str], NameSuggestion] = {}
    for *_, record_type, record_id, _, label, name, matched_on in sorted(rows):
        suggestion = NameSuggestion(record_type, record_id, label, name, matched_on, start)
        first = suggestions.setdefault((record_type, record_id), suggestion)
        if record_type == "intervention" and matched_on == "name" and first.matched_on == "synonym":
            suggestions[record_type, record_id] = suggestion
    return list(suggestions.values())[:limit]


def _names(session: Session, start: str, is_concept: bool, types: Sequence[str]) -> list[tuple[Any, ...]]:
    """Names that start like this, preceded by what orders them."""
    names = (
        "SELECT e.rank, NOT n.is_start, n.folded, e.type, e.id, n.pk, e.label, n.text, n.matched_on "
        "FROM search_names n JOIN search_entries e ON e.pk = n.entry_pk "
        "WHERE n.is_concept = ? AND n.folded >= ? AND n.folded < ? AND e.type IN ? AND e.rank <> ? "
        "ORDER BY n.folded, n.pk LIMIT ?"
    )
    of_types = list(types or BY_TYPE)
    values = (is_concept, start, after_prefix(start), of_types, WITHOUT_CLAIMS, MAX_READ)
    return [tuple(row) for row in fetch(session, names, *values)]


def claim_summaries(session: Session, suggestions: Sequence[NameSuggestion]) -> dict[str, Any]:
    """Claim id → what must travel with its statement, of the claims among the suggestions."""
    ids = [suggestion.id for suggestion in suggestions if suggestion.type == "claim"]
    summaries = "SELECT id, summary FROM search_entries WHERE type = ? AND id IN ?"
    return {claim: from_json(summary) for claim, summary in fetch(session, summaries, "claim", ids)} if ids else {}


def typed_parts(name: str, start: str) -> list[tuple[str, bool]]:
    """The name in parts, `(part, was_typed)`; the parts joined give the name."""
    *whole, last = start.split(" ")
    pieces = WRITTEN_WORD.split(name)
    folded = ["".join(words(word)) for word in pieces[1::2]]
    for first in range(len(folded) - len(whole)):
        end = first + len(whole)
        if folded[first:end] == whole and folded[end].startswith(last):
            word = pieces[2 * end + 1]
            parts = (
                ("".join(pieces[: 2 * first + 1]), False),
                ("".join(pieces[2 * first + 1 : 2 * end + 1]) + word[: len(last)], True),
                (word[len(last) :] + "".join(pieces[2 * end + 2 :]), False),
            )
            return [part for part in parts if part[0]]
    typed = [word if word in whole else word[: len(last)] if word.startswith(last) else "" for word in folded]
    lengths = [len(part) for part in typed]
    parts_of_words = [
        part
        for between, word, length in zip(pieces[::2], [*pieces[1::2], ""], [*lengths, 0], strict=True)
        for part in ((between, False), (word[:length], True), (word[length:], False))
        if part[0]
    ]
    return [("".join(part for part, _ in some), hit) for hit, some in groupby(parts_of_words, key=itemgetter(1))]
