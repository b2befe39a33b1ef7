"""The rules for studies and documents; each function returns `(field, reason)` pairs."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from app.concepts.terms import StudyDesignTerm
from app.core.text import RuleViolation
from app.sources.identifiers import IdentifierError, normal_or_none, normalise
from app.sources.schemas import Author, DocumentWrite, Identifier, StudyWrite
from app.sources.vocabulary import Completeness, IdentifierScheme

NormalIdentifier = tuple[IdentifierScheme, str]
"""Scheme and normal spelling."""


def study_faults(study: StudyWrite) -> list[RuleViolation]:
    return [
        *_review_faults(study),
        *_number_faults(study),
        *_arm_faults(study),
        *_identifier_faults("registry_ids", study.registry_ids),
    ]


def _review_faults(study: StudyWrite) -> Iterator[RuleViolation]:
    if study.includes is None:
        return
    if study.id in study.includes.studies:
        yield "includes.studies", "a review cannot include itself"
    if len(set(study.includes.studies)) != len(study.includes.studies):
        yield "includes.studies", "names a study twice"
    count = study.includes.study_count
    if count is not None and len(study.includes.studies) > count:
        yield "includes.study_count", "is smaller than the list of included studies"
    if study.includes.completeness is Completeness.full and count is not None and len(study.includes.studies) != count:
        yield "includes.completeness", "is full only when every included study is listed"


def _number_faults(study: StudyWrite) -> Iterator[RuleViolation]:
    if study.analysed is not None and study.participants is not None and study.analysed > study.participants:
        yield "analysed", "must not exceed participants"


def design_faults(study: StudyWrite, design: StudyDesignTerm) -> Iterator[RuleViolation]:
    """What a study of its design cannot have."""
    if study.includes is not None and not design.is_review:
        yield "includes", "is for reviews only"
    counted = [arm.participants for arm in study.arms if arm.participants is not None]
    if study.participants is not None and not design.is_crossover and sum(counted) > study.participants:
        yield "arms", "hold more people than took part"


def _arm_faults(study: StudyWrite) -> Iterator[RuleViolation]:
    for index, arm in enumerate(study.arms):
        at = f"arms[{index}]"
        if (arm.dose_low is None) != (arm.dose_high is None) or (arm.dose_low is None) != (arm.dose_unit is None):
            yield f"{at}.dose_unit", "dose_low, dose_high and dose_unit come together"
        elif arm.dose_low is not None and arm.dose_high is not None and not 0 <= arm.dose_low <= arm.dose_high:
            yield f"{at}.dose_low", "must not be negative nor exceed dose_high"


def _identifier_faults(field: str, identifiers: Iterable[Identifier]) -> Iterator[RuleViolation]:
    positions: dict[tuple[IdentifierScheme, str], int] = {}
    for index, identifier in enumerate(identifiers):
        try:
            name = (identifier.scheme, normalise(identifier.scheme, identifier.value))
        except IdentifierError as error:
            yield f"{field}[{index}].value", str(error)
        else:
            if positions.setdefault(name, index) != index:
                yield f"{field}[{index}]", f"is {field}[{positions[name]}] in another spelling, or once more"


def taken_identifiers(
    documents: Iterable[DocumentWrite], taken: Mapping[NormalIdentifier, str] = MappingProxyType({})
) -> Iterator[tuple[str, str, str]]:
    """Document id, field and reason wherever a document has an identifier of an earlier one, however it is spelled.

    `taken` names the documents outside of `documents` that have an identifier.
    """
    owners = dict(taken)
    for document in documents:
        for index, identifier in enumerate(document.identifiers):
            for name in normal_identifiers([identifier]):
                owner = owners.setdefault(name, document.id)
                if owner != document.id:
                    yield document.id, f"identifiers[{index}]", f"is the identifier of {owner} already"


def normal_identifiers(identifiers: Iterable[Identifier]) -> Iterator[NormalIdentifier]:
    """Scheme and normal spelling of those that are well formed."""
    for identifier in identifiers:
        if normal := normal_or_none(identifier.scheme, identifier.value):
            yield identifier.scheme, normal


def document_faults(document: DocumentWrite) -> list[RuleViolation]:
    faults: list[RuleViolation] = []
    for index, author in enumerate(document.authors):
        if not _is_name(author):
            faults.append((f"authors[{index}]", "has either a literal name or a family name"))
    faults.extend(_identifier_faults("identifiers", document.identifiers))
    if not document.standing:
        faults.append(("standing", "has at least one entry; not_checked where nobody looked"))
    if len({entry.study for entry in document.studies}) != len(document.studies):
        faults.append(("studies", "names a study twice"))
    return faults


def _is_name(author: Author) -> bool:
    return (author.literal is None) != (author.family is None) and (author.given is None or author.family is not None)
