"""Parses a question into terms: words, phrases and names of concepts, each with its alternatives."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy.orm import Session

from app.concepts.recognition import DrugIndex, drug_index
from app.concepts.vocabulary import InterventionKind
from app.core.folding import words
from app.search.analyzer import WRITTEN_WORD, Phrase, between_spaces, stem, stems
from app.search.spelling import nearest_word, two_words
from app.search.term_statistics import TermStatistics
from app.search.word_lists import ALTERNATIVES, OPTIONAL_WORDS, RISK_TERMS, STOP_WORDS
from app.sources.identifiers import identify

MAX_TERMS = 16
MAX_ALTERNATIVES = 12
MAX_CORRECTIONS = 8
"""Unknown words for which the nearest known word is looked up."""
MAX_NAME_WORDS = 6
"""Words in a concept's name that is recognised in a question."""
MIN_PREFIX = 3

_IDENTIFIER_LABEL = re.compile(r"\b(doi|pmid|pmcid|nct|eudract):\s*", re.IGNORECASE)

_JOINS = re.compile(r"[+/,;&]")
"""Joins what may also be searched as separate words."""
_DASHES = re.compile(r"[-\u2010-\u2015]")
"""Join the names of drugs as well (`naltrexone-oxycodone`), but other words to compounds (`anti-inflammatory`)."""

_NAME = r"(\S+(?: \S+){0,4})"
_HOW_IT_WORKS = re.compile(rf"\bhow (?:(?:does|do|did|would) {_NAME} work|{_NAME} works)(?=\W*$| in\b)", re.IGNORECASE)
"""A question about a mechanism in words that records do not use."""

_WORDS_IN_EXPANSIONS = {word for phrase in ALTERNATIVES if len(phrase) > 1 for word in phrase}


@dataclass(frozen=True)
class QueryTerm:
    """A word, phrase or name in the question."""

    alternatives: tuple[Phrase, ...]
    """Stems, of which a record has any; the first are the words of the question."""
    is_required: bool = True
    is_risk: bool = False
    """Whether people who use the term may be at risk."""
    text: str = field(default="", compare=False)
    """Its words in the question, folded."""


@dataclass(frozen=True)
class ParsedQuery:
    terms: tuple[QueryTerm, ...]
    correction: str | None = None
    """The question with each unknown word replaced by the nearest known one; null if nothing was replaced."""
    unknown: tuple[str, ...] = ()
    """Words that were left out because no record has them, nor one like them."""

    @property
    def required(self) -> tuple[QueryTerm, ...]:
        return tuple(term for term in self.terms if term.is_required)


@dataclass(frozen=True)
class _Token:
    words: Phrase
    is_quoted: bool = False
    text: str = ""
    """As it is written; empty for what is quoted."""

    @property
    def is_stop_word(self) -> bool:
        return len(self.words) == 1 and not self.is_quoted and self.words[0] in STOP_WORDS


def parse_query(session: Session, statistics: TermStatistics, query: str) -> ParsedQuery:
    """Words in quotes, words joined by punctuation (`M79.7`, `ME/CFS`) and names of concepts become one term. Words
    that no record has are corrected or left out."""
    typed = _plain_identifiers(query)
    tokens = _tokens(typed)
    drugs = drug_index(session)
    corrections, unknown = _unknown_words(session, statistics, drugs, tokens)
    correction = _corrected(typed, corrections) if corrections else None
    if correction:
        tokens = _tokens(correction)
    known = [token for token in _separated(session, statistics, drugs, tokens) if unknown.isdisjoint(token.words)]
    terms = tuple(dict.fromkeys(_without_names(tuple(_terms(session, statistics, drugs, known)))))[:MAX_TERMS]
    if not any(term.is_required for term in terms):
        terms = tuple(replace(term, is_required=True) for term in terms)
    return ParsedQuery(terms, correction, tuple(sorted(unknown - OPTIONAL_WORDS)))


def _plain_identifiers(query: str) -> str:
    """The question with its identifiers in normal form, in whatever spelling or as an address they were written."""
    chunks = _IDENTIFIER_LABEL.sub(r"\1:", query).split(" ")
    return " ".join(found[1] if (found := _identified(chunk)) else chunk for chunk in chunks)


def _identified(chunk: str) -> tuple[str, str] | None:
    return identify(chunk) if any(character.isdigit() for character in chunk) else None


def _tokens(query: str) -> list[_Token]:
    if '"' not in query:
        query = _HOW_IT_WORKS.sub(r"\1\2 mechanism of action", query)
    tokens: list[_Token] = []
    for position, part in enumerate(query.split('"')):
        is_quoted = position % 2 == 1
        for chunk in [part] if is_quoted else part.split():
            if phrase := tuple(words(chunk))[:MAX_TERMS]:
                tokens.append(_Token(phrase, is_quoted, text="" if is_quoted else chunk))
    return ([token for token in tokens if not token.is_stop_word] or tokens)[: 2 * MAX_TERMS]


def _separated(
    session: Session, statistics: TermStatistics, drugs: DrugIndex, tokens: Sequence[_Token]
) -> Iterable[_Token]:
    """Takes apart what is joined, unless it is a name as a whole: `ME/CFS` stays, `naltrexone/tramadol` does not."""
    parts = {token: _parts(drugs, token.text) for token in tokens if len(token.words) > 1}
    joined = [token.words for token, some in parts.items() if some and len(token.words) <= MAX_NAME_WORDS]
    names = statistics.concept_names(session, joined) if joined else {}
    for token in tokens:
        some = parts.get(token)
        if not some or token.words in names or _stem_all(token.words) in ALTERNATIVES or drugs.named(token.words):
            yield token
            continue
        yield from (one for one in map(_Token, some) if not one.is_stop_word)


def _parts(drugs: DrugIndex, text: str) -> list[Phrase]:
    """The phrases that are joined by signs such as `/` and `+`, or by a dash to a drug; empty if there is one alone."""
    phrases = [phrase for chunk in _JOINS.split(text) if (phrase := tuple(words(chunk)))]
    dashed = [phrase for chunk in _JOINS.split(text) for one in _DASHES.split(chunk) if (phrase := tuple(words(one)))]
    if any(_is_drug(drugs, phrase) for phrase in dashed):
        phrases = dashed
    # What holds digits is an identifier or a dose.
    return phrases if len(phrases) > 1 and all("".join(phrase).isalpha() for phrase in phrases) else []


def _is_drug(drugs: DrugIndex, phrase: Phrase) -> bool:
    named = drugs.named(phrase)
    return named is not None and any(drug.kind is not InterventionKind.drug_class for drug in named[0])


# --- spelling -----------------------------------------------------------------------------------------------------


def _unknown_words(
    session: Session, statistics: TermStatistics, drugs: DrugIndex, tokens: Sequence[_Token]
) -> tuple[dict[str, str], set[str]]:
    """Words that no record has: corrections of some, and the others."""
    corrections: dict[str, str] = {}
    unknown: set[str] = set()
    attempts = 0
    for word in sorted(_absent(session, statistics, {word for token in tokens for word in token.words})):
        if _drug_names(drugs, (word,)):
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
    stems_of = {word: {stem(word)}.union(*ALTERNATIVES.get((stem(word),), ())) for word in candidates}
    counts = statistics.entry_counts(session, set().union(*stems_of.values()))
    return [
        word
        for word, stems in stems_of.items()
        if not any(counts[one] for one in stems)
        and stem(word) not in _WORDS_IN_EXPANSIONS
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
    of_concepts = statistics.concept_names(session, [row for row in phrases.values() if len(row) <= MAX_NAME_WORDS])
    names = {
        phrase: [
            # A drug that nothing is recorded of is asked for by its classes too.
            *_drug_names(drugs, phrase, with_classes=phrase not in of_concepts),
            *sorted(of_concepts.get(phrase, ()), key=lambda name: (len(name), name)),
        ]
        for phrase in phrases.values()
    }
    start = 0
    while start < len(tokens):
        end = min(len(tokens), start + MAX_NAME_WORDS)
        while end > start + 1 and not (names[phrases[start, end]] or _stem_all(phrases[start, end]) in ALTERNATIVES):
            end -= 1
        phrase = phrases[start, end]
        completions = _completions(session, statistics, tokens[start]) if end == start + 1 else ()
        yield _term(phrase, names[phrase], completions, tokens[start].is_quoted)
        start = end


def _term(phrase: Phrase, names: Iterable[Phrase], completions: Iterable[Phrase], is_quoted: bool) -> QueryTerm:
    stemmed = _stem_all(phrase)
    others = list(ALTERNATIVES.get(stemmed, ()))
    if not is_quoted:
        # A question about liver damage must find what records say about the liver.
        others += [(word,) for word in stemmed if word in RISK_TERMS]
    alternatives = [stemmed]
    for other in (*sorted(others, key=lambda other: (len(other), other)), *names):
        # A phrase that contains another alternative finds nothing more.
        if not any(between_spaces(one) in between_spaces(other) for one in alternatives):
            alternatives.append(other)
    alternatives = list(dict.fromkeys((*alternatives[:MAX_ALTERNATIVES], *completions)))
    return QueryTerm(
        tuple(alternatives),
        is_required=len(phrase) > 1 or phrase[0] not in OPTIONAL_WORDS,
        is_risk=any(not RISK_TERMS.isdisjoint(alternative) for alternative in alternatives),
        text=" ".join(phrase),
    )


def _without_names(terms: Sequence[QueryTerm]) -> Iterable[QueryTerm]:
    """A word in the name of something else that is asked for is in all its records: who asks for the dose of low-dose
    naltrexone means the dosage. Terms of risk stay as they are."""
    for term in terms:
        names = [between_spaces(name) for other in terms if other != term for name in other.alternatives]
        said, synonyms = term.alternatives[0], ALTERNATIVES.get(term.alternatives[0], ())
        if synonyms and not term.is_risk and any(between_spaces(said) in name for name in names):
            term = replace(term, alternatives=term.alternatives[1:])
        yield term


def _completions(session: Session, statistics: TermStatistics, token: _Token) -> tuple[Phrase, ...]:
    """The known words that a word begins, wherever it stands in the question. One that records have is complete, and so
    is one with other words for it: `max` asks for `maximum`, not for `Maxitram`."""
    word = token.words[0]
    if (
        token.is_quoted
        or len(token.words) > 1
        or len(word) < MIN_PREFIX
        or (stem(word),) in ALTERNATIVES
        or statistics.entry_counts(session, {stem(word)})[stem(word)]
    ):
        return ()
    return tuple((stem(longer),) for longer in statistics.words_with_prefix(session, word))


def _stem_all(phrase: Phrase) -> Phrase:
    return tuple(map(stem, phrase))
