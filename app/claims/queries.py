"""The query parameters of lists of claims and citations, and the selection of records that they make.

Filters choose records; they never remove citations from a claim.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field
from pyroaring import BitMap
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.claims import dose_query
from app.claims import vocabulary as terms
from app.claims.doses import MAX_STORED, DailyDose, stored
from app.claims.filters import CITATIONS, CITED, CLAIMS, COMBINATION, DOSING_RANGES, SEARCHES, SEPARATOR
from app.claims.interaction_rules import FILTERS as INTERACTION_RULES
from app.claims.models import Citation, Claim, DosingRange
from app.claims.rules import EVERYBODY
from app.concepts.manifest import current_units
from app.concepts.queries import concept_ids, refuse_unknown_terms
from app.core.errors import Fault, InvalidInput, nearest
from app.core.text import IdentifierText, IdOrCode, Instant, Slug
from app.core.vocabulary import Status
from app.sources import vocabulary as source_terms
from app.sources.filters import DOCUMENTS, STUDIES
from app.sources.identifiers import IdentifierError, normalise
from app.sources.models import Document, DocumentIdentifier, Study
from app.storage.database import Base
from app.storage.filter_bitmaps import Filter
from app.storage.filter_index import FilterSpec, filter_index
from app.storage.near_ids import IdFaults
from app.storage.paging import ListQuery, SortedQuery, Sorts, TextQuery
from app.storage.read_view import ReadView
from app.storage.selection import MAX_READ, Selection

T = TypeVar("T")
Few = Annotated[tuple[T, ...], Field(max_length=50)]
"""Values of a repeated parameter."""
Names = Few[IdOrCode]
"""Ids or codes."""


class ClaimFilters(TextQuery):
    """Filters by what claims say and what is cited for them. A repeated parameter means OR, different ones mean AND;
    those about a citation must hold on one and the same citation. A code such as `icd10cm:M79.7` may stand for an id.
    """

    NOT_INDEXED = frozenset({"document", "study", "doi", "pmid"})

    intervention: Names = ()
    """Drug, regimen or class. It also brings the interactions and warnings of its drug and of its classes; such claims
    say so in `inheritance`."""
    condition: Names = ()
    mechanism: Names = ()
    side_effect: Names = ()
    outcome: Names = ()
    interactant: Names = ()
    """Drugs or drug classes that the intervention meets."""
    descendants: bool = False
    """Whether narrower conditions and interventions count as well."""
    kind: Few[terms.Kind] = ()
    form: Few[terms.Form] = ()
    effect: Few[terms.Effect] = ()
    subgroup: Few[Slug] = ()
    """Ids of subgroups that claims are about alone; `everybody` keeps the claims that are about no subgroup."""
    consensus: Few[terms.Consensus] = ()
    certainty: Few[terms.Certainty] = ()
    cited: bool | None = None
    """Whether the claim has any citation."""
    stance: Few[terms.Stance] = ()
    directness: Few[terms.Directness] = ()
    verification: Few[terms.Verification] = ()
    document: Few[Slug] = ()
    study: Few[Slug] = ()
    doi: Few[IdentifierText] = ()
    pmid: Few[IdentifierText] = ()
    design: Few[source_terms.Design] = ()
    evidence_source: Few[source_terms.EvidenceSource] = ()
    standing: Few[source_terms.Standing] = ()


class ClaimQuery(ClaimFilters):
    NOT_INDEXED = frozenset({"id", "dose", "updated_since"})

    id: Annotated[tuple[Slug, ...], Field(max_length=200)] = ()
    """Ids of claims, at most 200: all on one page whatever the `limit`, in this order unless a `sort` is named."""
    dose: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    """A daily total such as `4.5 mg`, `1.5..4.5 mg` or `4500 ug`, or a weekly one such as `2.4 mg/wk`, both ends
    inclusive. Keeps claims with a studied dose in the range, claims whose doses were not read or are in units that
    cannot be compared with it, and every warning; each citation is marked (`dose_match`)."""
    stale: bool | None = None
    """Whether the claim is past its day for review, as of the last maintenance of the data set."""
    updated_since: Instant | None = None
    """Published or changed at or after this instant (RFC 3339, UTC)."""
    sort: Literal[
        "relevance",
        "id",
        "-id",
        "updated_at",
        "-updated_at",
        "study_count",
        "-study_count",
        "participant_count",
        "-participant_count",
    ] = "relevance"
    """`relevance`: claims on which evidence votes come first, by the weight of both sides; then others that are cited,
    then uncited ones. Filters do not change the order. Ties go by id."""


class CountedClaimQuery(ClaimQuery):
    NOT_INDEXED = frozenset({"facets"})

    facets: bool = False
    """Whether to count all matching claims by what they can be narrowed by (`facets` in the answer)."""


CLAIM_FACETS = (
    "kind", "effect", "consensus", "certainty", "condition", "intervention", "outcome", "mechanism", "side_effect",
    "subgroup", "stance", "design", "evidence_source", "standing",
)  # fmt: skip
"""Filters by whose values claims are counted."""

CitedValues = Mapping[str, Sequence[str]]
"""Filters on citations: name of one of `CITED` → the values asked for."""

CLAIM_SORTS: Sorts = {
    "relevance": Claim.relevance,
    "id": Claim.id,
    "updated_at": Claim.updated_at,
    "study_count": Claim.study_count,
    "participant_count": Claim.participant_count,
}


def claims(view: ReadView, query: ClaimQuery) -> Selection:
    """Published claims that meet every filter; ids that no published claim has select none."""
    selection = claims_by_filters(view, query)
    if query.id:
        selection = selection.where(Claim.id.in_(query.id))
    if query.updated_since is not None:
        selection = selection.where(Claim.updated_at >= query.updated_since)
    if query.dose is not None:
        selection = selection.where(
            _has_dose(dose_query.parse(query.dose, current_units(view.session))), max_read=MAX_READ
        )
    return selection


def claims_by_filters(view: ReadView, filters: ClaimFilters) -> Selection:
    """Published claims that meet the filters on what they say and what they cite.

    Filters on citations must hold for one and the same citation: several are looked up by the combinations of values
    that citations have, and filters that name a source are answered in SQL.
    """
    _refuse_unknown_subgroups(view, filters.subgroup)
    selection = selection_of(view, "claim", filters)
    values = {name: getattr(filters, name) for name in CITED if getattr(filters, name)}
    sources = _cites_source(view, filters)
    if sources:
        return selection.where(Claim.pk.in_(_matching_citations(values, sources, Citation.claim_pk)))
    if len(values) < 2:
        for name, chosen in values.items():
            selection = selection.filtered(name, chosen)
        return selection
    return selection.filtered(COMBINATION, [combination for combination, _ in _combinations(view, values)] or [""])


def _refuse_unknown_subgroups(view: ReadView, names: Sequence[str]) -> None:
    """A subgroup is known by the claims that are about it."""
    known = {EVERYBODY, *filter_index(view).values("claim", "subgroup")} if names else set()
    message = "No published claim is about a subgroup with this id."
    is_list = len(names) > 1
    faults = [
        Fault(
            "query", "subgroup", "unknown_value", message,
            did_you_mean=nearest(name, known), position=position if is_list else None,
        )
        for position, name in enumerate(names, start=1)
        if name not in known
    ]  # fmt: skip
    if faults:
        raise InvalidInput("A filter names something that does not exist here.", errors=faults)


def _matching_citations(
    values: CitedValues, sources: Sequence[ColumnElement[bool]], *columns: InstrumentedAttribute[Any]
) -> Select[Any]:
    """These columns of the citations that meet all filters."""
    return (
        select(*columns)
        .join_from(Citation, Document, Document.pk == Citation.document_pk)
        .outerjoin(Study, Study.pk == Citation.study_pk)
        .where(*(CITED[name].in_(chosen) for name, chosen in values.items()), *sources)
    )


def _combinations(view: ReadView, values: CitedValues) -> Iterator[tuple[str, dict[str, str]]]:
    """The combinations of values of citations that meet all filters, as stored and by the name of the filter."""
    for combination in filter_index(view).values("claim", COMBINATION):
        parts = dict(zip(CITED, combination.split(SEPARATOR), strict=True))
        if all(parts[name] in chosen for name, chosen in values.items()):
            yield combination, parts


def claim_facets(view: ReadView, filters: ClaimFilters, keys: BitMap) -> dict[str, list[tuple[str, int]]]:
    """How many of the claims with these keys each value of a filter would keep, the most frequent first.

    A value of a citation counts where one citation has it and meets the filters on citations: just so many claims are
    on the list to which the value narrows.
    """
    index = filter_index(view)
    values = {name: getattr(filters, name) for name in CITED if getattr(filters, name)}
    sources = _cites_source(view, filters)
    names = [name for name in CLAIM_FACETS if name not in CITED or not (values or sources)]
    facets = index.facets("claim", names, keys)
    if len(names) == len(CLAIM_FACETS):
        return facets
    claims: dict[str, dict[str, BitMap]] = defaultdict(lambda: defaultdict(BitMap))
    if sources:
        for pk, *row in view.session.execute(_matching_citations(values, sources, Citation.claim_pk, *CITED.values())):
            for name, value in zip(CITED, row, strict=True):
                claims[name][value or ""].add(pk)
    else:
        for combination, parts in _combinations(view, values):
            of_combination = index.of("claim", Filter(COMBINATION, combination))
            for name, value in parts.items():
                claims[name][value] |= of_combination
    for name in set(CLAIM_FACETS).difference(names):
        counts = [(value, keys.intersection_cardinality(some)) for value, some in claims[name].items() if value]
        counts.sort(key=lambda count: (-count[1], count[0]))
        facets[name] = [count for count in counts if count[1]]
    return {name: facets[name] for name in CLAIM_FACETS}


def _has_dose(dose: DailyDose) -> ColumnElement[bool]:
    """Claims on an intervention, without those of which every recorded dose that can be compared lies outside; warnings
    always stay."""
    studied, ranged = Citation.dose_of == dose.of, DosingRange.amount_of == dose.of
    recorded = or_(
        Claim.pk.in_(select(Citation.claim_pk).where(studied)),
        Claim.dosing_range_pk.in_(select(DosingRange.pk).where(ranged)),
    )
    studied_inside = select(Citation.claim_pk).where(studied, overlaps(Citation.dose_low, Citation.dose_high, dose))
    ranged_inside = select(DosingRange.pk).where(
        ranged, overlaps(DosingRange.low_amount, DosingRange.high_amount, dose)
    )
    inside = or_(Claim.pk.in_(studied_inside), Claim.dosing_range_pk.in_(ranged_inside))
    return and_(Claim.intervention_pk.is_not(None), or_(Claim.kind.in_(terms.HARM_KINDS), inside, ~recorded))


# --- citations ----------------------------------------------------------------------------------------------------


class CitationFilters(SortedQuery):
    NOT_INDEXED = frozenset({"document", "study", "doi", "pmid"})

    stance: Few[terms.Stance] = ()
    directness: Few[terms.Directness] = ()
    role: Few[terms.CitationRole] = ()
    verification: Few[terms.Verification] = ()
    document: Few[Slug] = ()
    study: Few[Slug] = ()
    doi: Few[IdentifierText] = ()
    pmid: Few[IdentifierText] = ()
    design: Few[source_terms.Design] = ()
    evidence_source: Few[source_terms.EvidenceSource] = ()
    standing: Few[source_terms.Standing] = ()
    sort: Literal["id", "-id"] = "id"


class CitationQuery(CitationFilters):
    NOT_INDEXED = frozenset({"claim"})

    claim: Few[Slug] = ()


CITATION_SORTS: Sorts = {"id": Citation.id}


def citations(view: ReadView, query: CitationQuery) -> Selection:
    """Citations of published claims that meet every filter."""
    selection = selection_of(view, "citation", query).where(*_cites_source(view, query))
    if query.claim:
        selection = selection.where(Citation.claim_pk.in_(keys_of_ids(view.session, Claim, query.claim, "claim")))
    return selection


# --- what all lists share -----------------------------------------------------------------------------------------

_LISTS: Mapping[str, tuple[FilterSpec, tuple[str, ...]]] = {
    "claim": (
        CLAIMS,
        (
            "intervention", "outcome", "condition", "mechanism", "side_effect", "interactant", "kind", "form", "effect",
            "subgroup", "consensus", "certainty", "cited", "stale",
        ),
    ),
    "citation": (CITATIONS, (*CITED, "role")),
    "study": (STUDIES, ("design", "evidence_source", "recruitment", "results", "is_review", "condition")),
    "document": (DOCUMENTS, ("kind", "standing", "year")),
    "dosing_range": (DOSING_RANGES, ("intervention", "condition", "basis", "tier")),
    "search": (SEARCHES, ("intervention", "condition", "interactant", "coverage")),
    "interaction_rule": (INTERACTION_RULES, ("intervention", "severity")),
}  # fmt: skip
"""Type of record → its filters, and the parameters whose values are looked up in the filter of the same name."""

_CONCEPTS = {
    "intervention": "intervention",
    "outcome": "outcome",
    "condition": "condition",
    "mechanism": "mechanism",
    "side_effect": "side_effect",
    "interactant": "intervention",
}
"""Parameter that names concepts by id or code → their type."""


def selection_of(view: ReadView, record_type: str, query: ListQuery) -> Selection:
    """Published records that meet the filters that need no condition in SQL."""
    refuse_unknown_terms(view, query)
    spec, parameters = _LISTS[record_type]
    selection = Selection(record_type, spec)
    for name in parameters:
        value = getattr(query, name, None)
        if value is None or value == ():
            continue
        if name in _CONCEPTS:
            descendants = getattr(query, "descendants", False) and name != "outcome"
            value = concept_ids(view, _CONCEPTS[name], value, name, descendants=descendants)
        values = [str(value).lower()] if isinstance(value, bool) else [str(entry) for entry in value]
        selection = selection.filtered(name, values)
    return selection


def _cites_source(view: ReadView, filters: ClaimFilters | CitationFilters) -> list[ColumnElement[bool]]:
    """The filters that name documents and studies, as conditions on one citation."""
    where: list[ColumnElement[bool]] = []
    if filters.document:
        where.append(Citation.document_pk.in_(keys_of_ids(view.session, Document, filters.document, "document")))
    if filters.study:
        where.append(Citation.study_pk.in_(keys_of_ids(view.session, Study, filters.study, "study")))
    return where + has_identifier(Citation.document_pk, filters.doi, filters.pmid)


def has_identifier(
    document_pk: InstrumentedAttribute[int], dois: Sequence[str], pmids: Sequence[str]
) -> list[ColumnElement[bool]]:
    """Documents with one of the DOIs and one of the PMIDs that are asked for; ones that nobody recorded match none."""
    where: list[ColumnElement[bool]] = []
    for scheme, values in (
        (source_terms.IdentifierScheme.doi, dois),
        (source_terms.IdentifierScheme.pmid, pmids),
    ):
        if values:
            carriers = select(DocumentIdentifier.document_pk).where(
                DocumentIdentifier.scheme == scheme,
                DocumentIdentifier.normal.in_([_normal(scheme, value) for value in values]),
            )
            where.append(document_pk.in_(carriers))
    return where


def _normal(scheme: source_terms.IdentifierScheme, value: str) -> str:
    try:
        return normalise(scheme, value)
    except IdentifierError as error:
        fault = Fault("query", scheme, "malformed_identifier", f"A {scheme.label} {error}.")
        raise InvalidInput("An identifier cannot be read.", errors=[fault]) from error


def overlaps(
    low: InstrumentedAttribute[int | None], high: InstrumentedAttribute[int | None], dose: DailyDose
) -> ColumnElement[bool]:
    """Rows whose range, open where a column is null, overlaps the dose."""
    end = MAX_STORED if dose.high is None else stored(dose.high)
    return and_(func.coalesce(low, 0) <= end, func.coalesce(high, MAX_STORED) >= (stored(dose.low) or 0))


_TYPES: Mapping[type[Base], str] = {Claim: "claim", Document: "document", Study: "study"}


def keys_of_ids(session: Session, table: type[Base], ids: Sequence[str], parameter: str) -> list[int]:
    """Keys of records named by id; InvalidInput says for each that is none what is near, or what took over."""
    columns = table.__table__.c
    rows = {
        row.id: row
        for row in session.execute(
            select(columns.pk, columns.id, columns.status, columns.successor).where(columns.id.in_(ids))
        )
    }
    wrong = [
        (position, record_id)
        for position, record_id in enumerate(ids, start=1)
        if record_id not in rows or rows[record_id].status != Status.published
    ]
    if not wrong:
        return [int(row.pk) for row in rows.values()]
    faults = IdFaults(session, parameter, ids)
    for position, record_id in wrong:
        row = rows.get(record_id)
        if row is not None:
            faults.add_retired(position, record_id, row.successor, "This record was retired.")
        else:
            faults.add_unknown(position, _TYPES[table], record_id, "There is no record with this id.")
    what = "something that does not exist here" if len(rows) < len(set(ids)) else "a retired record"
    raise InvalidInput(f"A filter names {what}.", errors=faults.faults)
