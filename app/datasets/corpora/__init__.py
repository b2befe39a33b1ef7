"""Foreign corpora of claims and evidence, each mapped in a module of its own. To add one: a module, and a line here."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from app.concepts.terms import SHIPPED, nearest_terms
from app.core.errors import Fault, InvalidInput
from app.datasets.corpora import civic, dismech
from app.datasets.corpora.corpus import CorpusImport


class Corpus(StrEnum):
    """The corpora that can be imported."""

    civic = "civic"
    dismech = "dismech"


_READERS: dict[Corpus, tuple[str, Callable[[Path, CorpusImport], None]]] = {
    Corpus.civic: (civic.NAME, civic.read),
    Corpus.dismech: (dismech.NAME, dismech.read),
}


def import_corpus(corpus: Corpus, directory: Path, therapy_kind: str | None = None) -> CorpusImport:
    """The records of a corpus, and what it holds that cannot be expressed."""
    if not directory.is_dir():
        raise InvalidInput("There is no directory of that corpus at that place.", errors=[])
    kinds = SHIPPED.intervention_kinds
    allowed = tuple(kind.id for kind in kinds)
    if therapy_kind is not None and therapy_kind not in allowed:
        reason, near = f"is none of {', '.join(allowed)}", nearest_terms(therapy_kind, kinds) or None
        fault = Fault("file", "therapy_kind", "unknown_term", reason, allowed, near)
        raise InvalidInput("There is no such kind of intervention.", errors=[fault])
    name, read = _READERS[corpus]
    result = CorpusImport(name, therapy_kind)
    read(directory, result)
    result.finish()
    return result
