"""Parses a question into terms: words, phrases and names of concepts, each with its alternatives."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from app.concepts.drug_index import drug_index
from app.concepts.recognition import DrugIndex
from app.concepts.vocabulary import DRUG_CLASS
from app.core.folding import fold, unify_marks, words
from app.search.analyzer import WRITTEN_WORD, Phrase, between_spaces, stem, stems
from app.search.matching import matching_keys
from app.search.spelling import nearest_word, two_words
from app.search.spellings import normal_text, occurring, spellings
from app.search.term_statistics import TermStatistics
from app.search.terms import QueryTerm
from app.search.word_lists import OPTIONAL_WORDS, STOP_WORDS, WordLists

MAX_TERMS = 16
MAX_ALTERNATIVES = 12
MAX_CORRECTIONS = 8
"""Unknown words for which the nearest known word is looked up."""
MAX_NAME_WORDS = 6
"""Words in a concept's name that is recognised in a question."""
MIN_PREFIX = 3

MAX_PHRASES = 16
"""Joined words that are looked up before they are taken apart; more are taken apart at once."""

_SIGNS = re.compile(r"[^\w\s'.-]|_|(?<![0-9])\.|\.(?![0-9])")
"""Join what may also be searched as separate words. Within a number, the point does not."""
_DECIMAL = re.compile(r"[0-9]+(?:[.,][0-9]+)+")

_NAME = r"(\S+(?: \S+){0,4})"
_HOW_IT_WORKS = re.compile(rf"\bhow (?:(?:does|do|did|would) {_NAME} work|{_NAME} works)(?=\W*$| in\b)", re.IGNORECASE)
"""A question about a mechanism in words that records do not use."""


@dataclass(frozen=True)
class ParsedQuery:
    terms: tuple[QueryTerm, ...]
    text: str
    """The question with identifiers, codes and doses in their one spelling."""
    correction: str | None = None
    """The question with each unknown word replaced by the nearest known one; null if nothing was replaced."""
    unknown: tuple[str, ...] = ()
    """Words that were left out because no record has them, nor one like them."""
    is_relaxed: bool = False
    """Whether words are missing, or words in quotes were taken apart for one that is missing."""

    @property
    def required(self) -> tuple[QueryTerm, ...]:
        return tuple(term for term in self.terms if term.is_required)


@dataclass(frozen=True)
class _Token:
    words: Phrase
    is_quoted: bool = False
    text: str = ""
    """As it is written."""

    @property
    def is_stop_word(self) -> bool:
        return len(self.words) == 1 and not self.is_quoted and self.words[0] in STOP_WORDS


def parse_query(session: Session, statistics: TermStatistics, query: str) -> ParsedQuery:
    """Words in quotes, words joined by punctuation (`M79.7`, `TNF/IL`) and names of concepts become one term. Words
    that no record has are corrected or left out."""
    typed = normal_text(session, statistics, query)
    tokens = _tokens(typed, statistics.lists)
    drugs = drug_index(session)
    corrections, unknown = _unknown_words(session, statistics, drugs, tokens)
    correction = _corrected(typed, corrections) if corrections else None
    if correction:
        tokens = _tokens(correction, statistics.lists)
    separate = _Separator(session, statistics, drugs, unknown).separate(tokens)
    known = [token for token in separate if unknown.isdisjoint(token.words)]
    terms = tuple(dict.fromkeys(_without_names(tuple(_terms(session, statistics, drugs, known)), statistics.lists)))
    terms = terms[:MAX_TERMS]
    if not any(term.is_required for term in terms):
        terms = tuple(replace(term, is_required=True) for term in terms)
    left_out = tuple(sorted(unknown - OPTIONAL_WORDS))
    is_relaxed = bool(left_out) or any(token.is_quoted and unknown & set(token.words) for token in tokens)
    return ParsedQuery(terms, typed, correction, left_out, is_relaxed)


def _tokens(query: str, lists: WordLists) -> list[_Token]:
    if '"' not in query:
        query = _HOW_IT_WORKS.sub(r"\1\2 mechanism of action", query)
    tokens: list[_Token] = []
    for position, part in enumerate(query.split('"')):
        is_quoted = position % 2 == 1
        for chunk in [part] if is_quoted else part.split():
            if phrase := tuple(words(chunk))[:MAX_TERMS]:
                tokens.append(_Token(phrase, is_quoted, text=chunk))
    in_phrases = _in_phrases(tokens, lists)
    kept = [token for place, token in enumerate(tokens) if place in in_phrases or not token.is_stop_word]
    return (kept or tokens)[: 2 * MAX_TERMS]


def _in_phrases(tokens: Sequence[_Token], lists: WordLists) -> set[int]:
    """Places of the tokens of phrases that mean something else than their words: `come off`, `the runs`."""
    stemmed = [stem(token.words[0]) if len(token.words) == 1 and not token.is_quoted else "" for token in tokens]
    places: set[int] = set()
    start = 0
    while start < len(stemmed):
        ends = range(min(len(stemmed), start + MAX_NAME_WORDS), start + 1, -1)
        end = next((end for end in ends if tuple(stemmed[start:end]) in lists.alternatives), start)
        places.update(range(start, end))
        start = max(end, start + 1)
    return places


class _Separator:
    """Takes apart what is joined unless it is a name or a phrase of some record: `M79.7` stays, `b-word` does not."""

    def __init__(self, session: Session, statistics: TermStatistics, drugs: DrugIndex, unknown: Set[str]) -> None:
        self._session, self._statistics, self._drugs, self._unknown = session, statistics, drugs, unknown
        self._looked_up = 0

    def separate(self, tokens: Sequence[_Token]) -> Iterator[_Token]:
        # All names at once; each is then in memory.
        self._statistics.concept_names(self._session, [way for token in tokens for way in _ways(token)])
        for token in tokens:
            yield from self._apart(token)

    def _apart(self, token: _Token) -> Iterator[_Token]:
        parts = self._parts(token)
        if len(parts) < 2:
            yield token
            return
        separate = [_Token(phrase, text=part) for part in parts if (phrase := tuple(words(part)))]
        for one in [one for one in separate if not one.is_stop_word] or separate:
            yield from self._apart(one)

    def _parts(self, token: _Token) -> Sequence[str]:
        """What to search for separately; at most one if the token stays as it is."""
        ways = _ways(token)
        if (len(token.words) == 1 and (len(ways) == 1 or token.words[0] in self._unknown)) or self._is_name(ways):
            return ()
        if token.is_quoted:
            return token.text.split() if self._unknown & set(token.words) else ()
        signed, dashed = _split(_SIGNS, token.text), _split(re.compile(rf"-|{_SIGNS.pattern}"), token.text)
        at_once = dashed if any(_is_drug(self._drugs, tuple(words(part))) for part in dashed) else signed
        if len(at_once) > 1 and all("".join(words(part)).isalpha() for part in at_once):
            return at_once
        if _DECIMAL.fullmatch(token.text) or self._is_phrase(token, ways):
            return ()
        return next((parts for parts in (signed, dashed, fold(token.text).split(), ways[0]) if len(parts) > 1), ())

    def _is_name(self, ways: Sequence[Phrase]) -> bool:
        names, phrases = self._statistics.concept_names(self._session, ways), self._statistics.lists.alternatives
        return any(way in names or _stem_all(way) in phrases or self._drugs.named(way) for way in ways)

    def _is_phrase(self, token: _Token, ways: Sequence[Phrase]) -> bool:
        if self._unknown & set(token.words) or self._looked_up == MAX_PHRASES:
            return False
        self._looked_up += 1
        term = QueryTerm(tuple(map(_stem_all, ways)))
        return bool(matching_keys(self._session, [[term]], {}, 1))


def _ways(token: _Token) -> list[Phrase]:
    return [token.words] if token.is_quoted or len(token.words) > MAX_NAME_WORDS else spellings(token.words)


def _split(signs: re.Pattern[str], text: str) -> list[str]:
    return [part for part in signs.split(unicodedata.normalize("NFKC", unify_marks(text))) if words(part)]


def _is_drug(drugs: DrugIndex, phrase: Phrase) -> bool:
    named = drugs.named(phrase)
    return named is not None and any(drug.kind != DRUG_CLASS for drug in named[0])


# --- spelling -----------------------------------------------------------------------------------------------------


def _unknown_words(
    session: Session, statistics: TermStatistics, drugs: DrugIndex, tokens: Sequence[_Token]
) -> tuple[dict[str, str], set[str]]:
    """Words that no record has: corrections of some, and the others."""
    corrections: dict[str, str] = {}
    unknown: set[str] = set()
    attempts = 0
    for word in sorted(_absent(session, statistics, {word for token in tokens for word in token.words})):
        ways = [way for way in spellings((word,)) if len(way) > 1]
        if _drug_names(drugs, (word,)) or any(not _absent(session, statistics, way) for way in ways):
            continue
        nearest = None
        if word not in OPTIONAL_WORDS and attempts < MAX_CORRECTIONS:
            attempts += 1
            nearest = nearest_word(session, statistics, word) or two_words(session, word)
        if nearest is None:
            unknown.add(word)
        else:
            corrections[word] = nearest
    return corrections, unknown


def _absent(session: Session, statistics: TermStatistics, candidates: Collection[str]) -> list[str]:
    """Words that no record has, neither as they are, nor as the beginning of a word, nor in other words."""
    lists = statistics.lists
    stems_of = {word: {stem(word)}.union(*lists.alternatives.get((stem(word),), ())) for word in candidates}
    counts = statistics.entry_counts(session, set().union(*stems_of.values()))
    return [
        word
        for word, stems in stems_of.items()
        if not any(counts[one] for one in stems)
        and stem(word) not in lists.words_in_phrases
        and not (len(word) >= MIN_PREFIX and statistics.words_with_prefix(session, word))
    ]


def _corrected(query: str, corrections: dict[str, str]) -> str:
    parts = WRITTEN_WORD.split(query)
    for position in range(1, len(parts), 2):
        folded = words(parts[position])
        if len(folded) == 1:
            parts[position] = corrections.get(folded[0], parts[position])
    return "".join(parts)


# --- terms --------------------------------------------------------------------------------------------------------


def _drug_names(drugs: DrugIndex, phrase: Phrase, *, with_classes: bool = True) -> list[Phrase]:
    """What records call a drug that a phrase names: by its name, or by the name of one of its classes."""
    named = drugs.named(phrase)
    records = named[0] if named else drugs.spelled(phrase[0]) if len(phrase) == 1 else ()
    names = [record.name for record in records]
    names += [name for record in records if with_classes for name in drugs.names_of_classes(record)]
    return list(dict.fromkeys(map(stems, names)))


def _terms(
    session: Session, statistics: TermStatistics, drugs: DrugIndex, tokens: Sequence[_Token]
) -> Iterable[QueryTerm]:
    """The longest sequence of tokens that is a name or a phrase with alternatives becomes one term."""
    phrases = {
        (start, end): tuple(word for token in tokens[start:end] for word in token.words)
        for start in range(len(tokens))
        for end in range(start + 1, min(len(tokens), start + MAX_NAME_WORDS) + 1)
    }
    ways = {phrase: spellings(phrase) for phrase in phrases.values() if len(phrase) <= MAX_NAME_WORDS}
    of_concepts = statistics.concept_names(session, [way for some in ways.values() for way in some])
    names = {
        phrase: [
            # A drug that nothing is recorded of is asked for by its classes too.
            *_drug_names(drugs, phrase, with_classes=phrase not in of_concepts),
            *sorted(
                {name for way in ways.get(phrase, ()) for name in of_concepts.get(way, ())},
                key=lambda name: (len(name), name),
            ),
        ]
        for phrase in phrases.values()
    }
    start, alternatives = 0, statistics.lists.alternatives
    while start < len(tokens):
        end = min(len(tokens), start + MAX_NAME_WORDS)
        while end > start + 1 and not (names[phrases[start, end]] or _stem_all(phrases[start, end]) in alternatives):
            end -= 1
        phrase = phrases[start, end]
        completions = _completions(session, statistics, tokens[start]) if end == start + 1 else ()
        spelled = ways.get(phrase, ())
        spelled = occurring(session, statistics, spelled) if len(spelled) > 1 else ()
        ways_to_say = spelled or [_stem_all(phrase)]
        yield _term(phrase, ways_to_say, names[phrase], completions, tokens[start], statistics.lists)
        start = end


def _term(
    phrase: Phrase,
    spelled: Sequence[Phrase],
    names: Iterable[Phrase],
    completions: Iterable[Phrase],
    token: _Token,
    lists: WordLists,
) -> QueryTerm:
    stemmed = _stem_all(phrase)
    others = list(lists.alternatives.get(stemmed, ()))
    if not token.is_quoted:
        # A question about damage of an organ must find what records say about the organ.
        others += [(word,) for word in stemmed if word in lists.risk_terms]
    alternatives = list(spelled)
    for other in (*sorted(others, key=lambda other: (len(other), other)), *names):
        # A phrase that contains another alternative finds nothing more.
        if not any(between_spaces(one) in between_spaces(other) for one in alternatives):
            alternatives.append(other)
    alternatives = list(dict.fromkeys((*alternatives[:MAX_ALTERNATIVES], *completions)))
    return QueryTerm(
        tuple(alternatives),
        is_required=len(phrase) > 1 or phrase[0] not in OPTIONAL_WORDS,
        is_risk=any(not lists.risk_terms.isdisjoint(alternative) for alternative in alternatives),
        text=" ".join(phrase),
    )


def _without_names(terms: Sequence[QueryTerm], lists: WordLists) -> Iterable[QueryTerm]:
    """A word in the name of something else that is asked for is in all its records: who asks for the dose of a
    low-dose regimen means the dosage. Terms of risk stay as they are."""
    for term in terms:
        names = [between_spaces(name) for other in terms if other != term for name in other.alternatives]
        said, *others = term.alternatives
        has_synonyms = bool(others) and said in lists.alternatives
        if has_synonyms and not term.is_risk and any(between_spaces(said) in name for name in names):
            term = replace(term, alternatives=tuple(others))
        yield term


def _completions(session: Session, statistics: TermStatistics, token: _Token) -> tuple[Phrase, ...]:
    """The known words that a word begins, wherever it stands in the question. One that records have is complete, and so
    is one with other words for it: `max` asks for `maximum`, not for the name of a product."""
    word = token.words[0]
    if (
        token.is_quoted
        or len(token.words) > 1
        or len(word) < MIN_PREFIX
        or (stem(word),) in statistics.lists.alternatives
        or statistics.entry_counts(session, {stem(word)})[stem(word)]
    ):
        return ()
    return tuple((stem(longer),) for longer in statistics.words_with_prefix(session, word))


def _stem_all(phrase: Phrase) -> Phrase:
    return tuple(map(stem, phrase))
