"""Every value of every enumeration with its label, plain definition and order."""

from collections.abc import Iterable

from fastapi import APIRouter, Depends, Request, Response

from app.claims import vocabulary as evidence
from app.concepts import vocabulary as concepts
from app.concepts.dose_tiers import all_bands
from app.concepts.manifest import current_manifest
from app.concepts.manifest_doses import DoseBand
from app.concepts.recognition import Confidence, MatchedBy, UnrecognizedReason
from app.core import vocabulary as core
from app.core.content import ResponseModel
from app.core.vocabulary import Term
from app.http import conditional
from app.http.conditional import conditional_response
from app.http.problems import declared_parameters_only, responses
from app.http.reads import reads_of
from app.questions.interaction_responses import InteractionStatus
from app.sources import vocabulary as sources
from app.storage.read_view import ReadView
from app.storage.serial_memory import SerialMemory
from app.verification import vocabulary as verification

VOCABULARIES: tuple[type[Term], ...] = (
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


class VocabularyRead(ResponseModel):
    name: str
    description: str
    terms: list[TermRead]


class VocabulariesRead(ResponseModel):
    items: list[VocabularyRead]


def _name(vocabulary: type[Term]) -> str:
    """`StanceReason` → `stance_reason`."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in vocabulary.__name__).lstrip("_")


def vocabularies(bands: Iterable[DoseBand]) -> VocabulariesRead:
    """Those of the software, and the bands of doses that the data set tells apart."""
    items = []
    for vocabulary in VOCABULARIES:
        if vocabulary is evidence.DoseMatch:
            items.append(_vocabulary("dose_tier", DOSE_TIERS, bands))
        items.append(_vocabulary(_name(vocabulary), (vocabulary.__doc__ or "").strip(), vocabulary))
    return VocabulariesRead(items=items)


def _vocabulary(name: str, description: str, terms: Iterable[Term | DoseBand]) -> VocabularyRead:
    return VocabularyRead(
        name=name,
        description=description,
        terms=[
            TermRead(value=term.value, label=term.label, definition=term.definition, order=order)
            for order, term in enumerate(terms, start=1)
        ],
    )


DOSE_TIERS = "Bands of doses, as the manifest of the data set names them; other data sets have others, or none."
_BODIES = SerialMemory(lambda session: vocabularies(all_bands(current_manifest(session))).model_dump_json().encode())


@router.get(
    "/v1/vocabularies",
    operation_id="listVocabularies",
    summary="Every enumeration value with label and definition",
    response_model=VocabulariesRead,
    responses=responses(422, 503),
)
async def list_vocabularies(request: Request) -> Response:
    """All vocabularies in one answer, for menus and tooltips. Answers may gain values; treat unknown ones gently."""
    return await reads_of(request).inline(request, _vocabularies, request)


def _vocabularies(view: ReadView, request: Request) -> Response:
    body = _BODIES.get(view.session)
    return conditional_response(request, conditional.etag(body), body)
