"""Content and response models of studies and documents."""

from typing import ClassVar

from app.concepts.schemas import ConceptRef
from app.core.content import ContentModel, Envelope, Record, ResponseModel
from app.core.text import Count, DoseNumber, OneLine, PartialDate, Slug, Text, Url
from app.sources import vocabulary as terms
from app.sources.standing import entry_in_force


class Identifier(ContentModel):
    """An identifier exactly as it was read; its normal form is derived."""

    scheme: terms.IdentifierScheme
    value: OneLine


class Arm(ContentModel):
    """One arm of a study; the dose is null where it was not read."""

    name: OneLine
    role: terms.ArmRole
    participants: Count | None = None
    dose_text: OneLine | None = None
    """The dose as the source words it."""
    dose_low: DoseNumber | None = None
    """Lowest dose, in `dose_unit`: a day's, or a week's where the unit says so."""
    dose_high: DoseNumber | None = None
    """Highest dose, in `dose_unit`; equal to `dose_low` for a fixed dose."""
    dose_unit: OneLine | None = None
    """A unit of doses such as `mg`, `mg/kg` or `[iU]`, of a day; with `/wk` at its end of a week, such as `mg/wk`."""
    called_low_dose: bool | None = None
    """Whether the source calls this dose low; null for arms to which that does not apply."""


class Included(ContentModel):
    """What a review says of the studies it includes."""

    studies: tuple[Slug, ...] = ()
    completeness: terms.Completeness
    designs: terms.IncludedDesigns = terms.IncludedDesigns.unknown
    """How the included studies were made; `unknown` where it was not read."""
    study_count: Count | None = None
    participants: Count | None = None
    """People in the included studies, as the review states."""
    searched_on: PartialDate | None = None
    """When the review's search ended."""


class StudyWrite(Record):
    """A piece of research, whatever was published about it. A review is a study of its own kind."""

    name: OneLine
    design: terms.Design
    evidence_source: terms.EvidenceSource
    registry_ids: tuple[Identifier, ...] = ()
    conditions: tuple[Slug, ...] = ()
    population: Text | None = None
    participants: Count | None = None
    """People who took part (randomized, or treated), each counted once; null where not read."""
    planned: Count | None = None
    """People planned."""
    analysed: Count | None = None
    """People in the main analysis; null where not read."""
    arms: tuple[Arm, ...] = ()
    comparator: OneLine | None = None
    blinding: terms.Blinding | None = None
    duration: OneLine | None = None
    recruitment: terms.Recruitment | None = None
    results: terms.ResultsStatus | None = None
    limitations: tuple[terms.Limitation, ...] = ()
    """Known serious limits; an empty tuple means that none is known, not that there is none."""
    includes: Included | None = None
    """For reviews only."""
    note: Text | None = None


class Author(ContentModel):
    """A CSL name: either `family` and `given`, or `literal` for a group."""

    family: OneLine | None = None
    given: OneLine | None = None
    literal: OneLine | None = None


class Notice(ContentModel):
    """The notice that changed a document's standing."""

    doi: OneLine | None = None
    url: Url | None = None
    text: Text | None = None


class StandingEntry(ContentModel):
    """One entry of the dated history of a document's standing, oldest first.

    `current` and `not_checked` say who looked and when; all others are statements, which no later check undoes.
    """

    standing: terms.Standing
    on: PartialDate | None = None
    source: OneLine | None = None
    """Where it was read: `crossref`, `retraction-watch`, `pubmed`, ..."""
    notice: Notice | None = None


class DocumentStudy(ContentModel):
    study: Slug
    role: terms.StudyRole


class DocumentWrite(Record):
    """A publication, web article or label; bibliographic fields as in CSL-JSON, verbatim."""

    kind: terms.DocumentKind
    label: OneLine
    """Short form for footnotes, such as `Younger 2013`."""
    title: OneLine | None = None
    authors: tuple[Author, ...] = ()
    authors_complete: bool = True
    """False where only the first author was read."""
    container_title: OneLine | None = None
    container_title_short: OneLine | None = None
    issued: PartialDate | None = None
    volume: OneLine | None = None
    issue: OneLine | None = None
    page: OneLine | None = None
    publisher: OneLine | None = None
    url: Url | None = None
    accessed: PartialDate | None = None
    identifiers: tuple[Identifier, ...] = ()
    interest: terms.Interest = terms.Interest.none_known
    standing: tuple[StandingEntry, ...] = (StandingEntry(standing=terms.Standing.not_checked),)
    studies: tuple[DocumentStudy, ...] = ()
    unverified_fields: tuple[OneLine, ...] = ()
    """Bibliographic fields that could not be read or are inferred."""
    note: Text | None = None

    @property
    def current_standing(self) -> StandingEntry:
        """The entry of the history that holds."""
        return entry_in_force(self.standing)


class IdentifierRead(ResponseModel):
    """An identifier: as read, in normal form, and where it opens."""

    scheme: terms.IdentifierScheme
    value: str
    normal: str
    url: str | None


class StudyRef(ResponseModel):
    """A study named inside another record."""

    id: Slug
    name: str


class DocumentRef(ResponseModel):
    """A document named inside another record."""

    id: Slug
    label: str


class StudyEmbed(ResponseModel):
    """A study as a citation shows it."""

    id: Slug
    design: terms.Design
    evidence_source: terms.EvidenceSource
    participants: int | None
    registry_ids: tuple[str, ...]


class DocumentAddresses(ResponseModel):
    """Where a document can be opened; addresses at other hosts, null where none is known."""

    best: str | None
    """The first of these that there is: DOI, PubMed, PubMed Central, the address that was read. What a footnote needs
    to link to."""
    doi: str | None
    pubmed: str | None
    url: str | None
    """The address at which the document was read."""


class DocumentLinks(ResponseModel):
    self: str
    doi: str | None


class DocumentEmbed(ResponseModel):
    """A document as a citation shows it."""

    ALWAYS_SHOWN: ClassVar[frozenset[str]] = frozenset({"standing"})

    id: Slug
    label: str
    title: str | None
    authors: tuple[str, ...]
    """As in a reference list: family name and initials."""
    container_title: str | None
    issued: str | None
    year: int | None
    doi: str | None
    pmid: str | None
    pmcid: str | None
    standing: terms.Standing
    notice: Notice | None
    """The notice behind the standing, where there is one."""
    links: DocumentLinks


class IncludedRead(ResponseModel):
    studies: tuple[StudyRef, ...]
    completeness: terms.Completeness
    designs: terms.IncludedDesigns
    study_count: int | None
    participants: int | None
    searched_on: str | None


class StudyDocument(ResponseModel):
    """A document that reports the study."""

    document: DocumentRef
    role: terms.StudyRole


class StudyRead(Envelope):
    """A piece of research and where it was published."""

    name: str
    design: terms.Design
    is_review: bool
    evidence_source: terms.EvidenceSource
    registry_ids: tuple[IdentifierRead, ...]
    conditions: tuple[ConceptRef, ...]
    population: str | None
    participants: int | None
    """People who took part, each counted once."""
    planned: int | None
    analysed: int | None
    arms: tuple[Arm, ...]
    comparator: str | None
    blinding: terms.Blinding | None
    duration: str | None
    recruitment: terms.Recruitment | None
    results: terms.ResultsStatus | None
    limitations: tuple[terms.Limitation, ...]
    """Known serious limits; empty means that none is known, not that there is none."""
    includes: IncludedRead | None
    documents: tuple[StudyDocument, ...]
    note: str | None


class DocumentStudyRead(ResponseModel):
    study: StudyRef
    role: terms.StudyRole


class DocumentRead(Envelope):
    """A publication with its standing."""

    kind: terms.DocumentKind
    label: str
    title: str | None
    authors: tuple[Author, ...]
    authors_complete: bool
    container_title: str | None
    container_title_short: str | None
    issued: str | None
    year: int | None
    volume: str | None
    issue: str | None
    page: str | None
    publisher: str | None
    url: str | None
    accessed: str | None
    doi: str | None
    pmid: str | None
    pmcid: str | None
    identifiers: tuple[IdentifierRead, ...]
    interest: terms.Interest
    standing: terms.Standing
    """The most serious statement that was not lifted; without one, what the newest check says."""
    standing_checked_on: str | None
    """When somebody last looked for notices and found nothing new; null if nobody did."""
    standing_history: tuple[StandingEntry, ...]
    studies: tuple[DocumentStudyRead, ...]
    unverified_fields: tuple[str, ...]
    note: str | None
