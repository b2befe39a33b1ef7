"""Every value of every enumeration with its label, plain definition and order."""

from collections.abc import Iterable

from fastapi import APIRouter, Depends, Request, Response

from app.claims import vocabulary as evidence
from app.concepts import vocabulary as concepts
from app.concepts.dose_tiers import all_bands
from app.concepts.manifest import Manifest, current_manifest
from app.concepts.manifest_doses import DoseBand
from app.concepts.recognition import Confidence, MatchedBy, UnrecognizedReason
from app.concepts.terms import CodeSystemTerm, OpenTerm, StudyDesignTerm, UnitFactor, UnitTerm, with_shipped
from app.concepts.weighing import WeighsAs
from app.core import vocabulary as core
from app.core.content import ResponseModel
from app.core.vocabulary import OpenVocabulary, Term, vocabulary_name
from app.grading.definitions import NUMBERED, by_method
from app.grading.method import Method, method_of
from app.http import conditional
from app.http.conditional import conditional_response
from app.http.problems import declared_parameters_only, responses
from app.http.reads import reads_of
from app.questions.interaction_responses import InteractionStatus
from app.sources import vocabulary as sources
from app.storage.read_view import ReadView
from app.storage.serial_memory import SerialMemory
from app.verification import vocabulary as verification

VOCABULARIES: tuple[type[Term] | OpenVocabulary, ...] = (
    *core.VOCABULARIES,
    *concepts.VOCABULARIES,
    *sources.VOCABULARIES,
    *evidence.VOCABULARIES,
    InteractionStatus,
    Confidence,
    MatchedBy,
    UnrecognizedReason,
    *verification.VOCABULARIES,
)

router = APIRouter(tags=["vocabularies"], dependencies=[Depends(declared_parameters_only)])


class TermRead(ResponseModel):
    """One value: show the label, explain with the definition, sort by the order."""

    value: str
    label: str
    definition: str
    order: int
    fhir: str | None
    """How FHIR names it: of a code system its URI, else `system|code`; null where it has no name there."""
    ga4gh: str | None
    """How GA4GH's standards name it: of a code system the prefix of its CURIEs, such as `mondo`; null for none."""
    weighs_as: WeighsAs | None
    """Of a study design: how the method weighs its studies."""
    address: str | None
    """Of a code system: where a code is looked up, with `{code}` in its place; null where none is known."""
    equals: UnitFactor | None
    """Of a unit: what one of it is in another one, exactly. Doses are compared where this leads to the same unit; null
    for that one, and for terms that are no units."""


class VocabularyRead(ResponseModel):
    name: str
    description: str
    is_open: bool
    """Whether the data set may add terms; else the values are the same everywhere."""
    terms: list[TermRead]


class VocabulariesRead(ResponseModel):
    items: list[VocabularyRead]


def vocabularies(manifest: Manifest) -> VocabulariesRead:
    """All of them, with the terms and the bands of doses that the data set adds."""
    known, method = with_shipped(manifest.vocabularies), method_of(manifest)
    items = []
    for vocabulary in VOCABULARIES:
        if vocabulary is evidence.DoseMatch:
            items.append(_vocabulary("dose_tier", DOSE_TIERS, all_bands(manifest)))
        if isinstance(vocabulary, OpenVocabulary):
            name = vocabulary_name(vocabulary.name)
            items.append(_vocabulary(name, vocabulary.description, known.terms(name), is_open=True))
        else:
            items.append(_closed_vocabulary(vocabulary, method))
    return VocabulariesRead(items=items)


def _closed_vocabulary(vocabulary: type[Term], method: Method) -> VocabularyRead:
    """With the numbers of the method in force where its definitions hold some."""
    description = (vocabulary.__doc__ or "").strip()
    if vocabulary not in NUMBERED:
        return _vocabulary(vocabulary_name(vocabulary.__name__), description, vocabulary)
    read = _vocabulary(vocabulary_name(vocabulary.__name__), by_method(description, method), vocabulary)
    terms = [term.model_copy(update={"definition": by_method(term.definition, method)}) for term in read.terms]
    return read.model_copy(update={"terms": terms})


DOSE_TIERS = "Bands of doses, as the manifest of the data set names them; other data sets have others, or none."


def _vocabulary(
    name: str, description: str, terms: Iterable[Term | DoseBand | OpenTerm], *, is_open: bool = False
) -> VocabularyRead:
    read = [_term(term, order) for order, term in enumerate(terms, start=1)]
    return VocabularyRead(name=name, description=description, is_open=is_open, terms=read)


def _term(term: Term | DoseBand | OpenTerm, order: int) -> TermRead:
    own = term if isinstance(term, OpenTerm) else None
    return TermRead(
        value=term.id if isinstance(term, OpenTerm) else term.value,
        label=term.label,
        definition=term.definition,
        order=order,
        fhir=own.fhir_name if own else None,
        ga4gh=own.ga4gh if own else None,
        weighs_as=term.weighs_as if isinstance(term, StudyDesignTerm) else None,
        address=term.address if isinstance(term, CodeSystemTerm) else None,
        equals=term.equals if isinstance(term, UnitTerm) else None,
    )


_BODIES = SerialMemory(lambda session: vocabularies(current_manifest(session)).model_dump_json().encode())


@router.get(
    "/v1/vocabularies",
    operation_id="listVocabularies",
    summary="Every enumeration value with label and definition",
    response_model=VocabulariesRead,
    responses=responses(422, 503),
)
async def list_vocabularies(request: Request) -> Response:
    """All vocabularies in one answer, for menus and tooltips; open ones with the terms of this data set. Answers may
    gain values; treat unknown ones gently."""
    return await reads_of(request).inline(request, _vocabularies, request)


def _vocabularies(view: ReadView, request: Request) -> Response:
    body = _BODIES.get(view.session)
    return conditional_response(request, conditional.etag(body), body)
