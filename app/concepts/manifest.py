"""What a data set says about itself: its name, its publisher, its licence, its disclaimers, what its pages offer first.

It is stored with the serial at which it was applied: one row for each time it changed.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.concepts.code_systems import CodeSystems, code_systems_of
from app.concepts.manifest_cds import CdsManifest
from app.concepts.manifest_doses import DoseTiers
from app.concepts.manifest_grading import Grading
from app.concepts.study_designs import StudyDesigns, study_designs_of
from app.concepts.terms import OpenTerm, Vocabularies, with_shipped
from app.concepts.units import Units, units_of
from app.core.content import ContentModel
from app.core.text import OneLine, Slug, Text, Url
from app.storage.database import Base, TextColumn
from app.storage.serial_memory import SerialMemory

Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$", max_length=12)]
"""A tag of BCP 47: `en`, `pt-BR`, `zh-Hant`."""


def _several(value: Any) -> Any:
    """Data sets of one language may name it alone."""
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


def _each_once(languages: tuple[str, ...]) -> tuple[str, ...]:
    if not languages or len(set(languages)) < len(languages):
        raise ValueError("names at least one language, and none twice")
    return languages


class Publisher(ContentModel):
    """Who answers for the data."""

    name: OneLine
    url: Url | None = None
    contact: OneLine | None = None
    """An address for corrections: a mail address or the address of a page."""


class DataLicence(ContentModel):
    """The licence of the data, not of the software."""

    name: OneLine
    spdx: OneLine | None = None
    """Its SPDX identifier; null where it has none."""
    url: Url | None = None


class Disclaimer(ContentModel):
    """What must stand wherever the data are shown."""

    intervention: Slug | None = None
    """The intervention that it is about; null for what holds of all data."""
    text: Text


class Question(ContentModel):
    """A question that people ask, and the record that answers it: one of `claim`, `condition` and `side_effect`."""

    question: OneLine
    claim: Slug | None = None
    condition: Slug | None = None
    side_effect: Slug | None = None


class SearchWords(ContentModel):
    """Words in questions that records of this data set say in another way; general English is known."""

    synonyms: tuple[tuple[OneLine, ...], ...] = ()
    """Groups of words and phrases that mean the same."""
    expansions: dict[OneLine, OneLine] = {}
    """What a record may say, and what people say instead; several of either between commas. The reverse does not
    hold."""
    other_languages: dict[OneLine, OneLine] = {}
    """The same, from other languages."""
    risk_terms: tuple[OneLine, ...] = ()
    """Words in questions of people who may be at risk: records that warn of them rank higher."""


class PostedExample(ContentModel):
    path: str
    body: dict[str, Any]


class Examples(ContentModel):
    """Examples of the OpenAPI document, by the ids of operations. A data set without them has none."""

    requests: dict[str, Annotated[str, Field(pattern=r"^/\S*$", max_length=500)]] = {}
    """Addresses; short answers are better."""
    posts: dict[str, PostedExample] = {}
    bodies: dict[str, dict[str, Any]] = {}
    """What may be sent, by title."""
    parameters: dict[str, dict[str, tuple[Any, ...]]] = {}
    """Values of parameters by their name."""
    answers: dict[str, Any] = {}
    """What the requests and posts were answered, as recorded from this data set."""


class Manifest(ContentModel):
    """The data set as a whole. Stored from the serial at which it was applied."""

    id: Slug
    name: OneLine
    title: OneLine
    """The heading of the first page."""
    description: Text
    publisher: Publisher
    licence: DataLicence
    citation: OneLine
    """How to cite the data set, without its release and date."""
    languages: Annotated[tuple[Language, ...], BeforeValidator(_several), AfterValidator(_each_once)] = Field(
        default=("en",), validation_alias=AliasChoices("languages", "language")
    )
    """The languages of the texts, the main one first; `language: en` is one."""
    disclaimers: tuple[Disclaimer, ...] = ()
    default_intervention: Slug | None = None
    """The intervention of pages whose address names none."""
    questions: tuple[Question, ...] = ()
    """For the first page, in its order."""
    first_call: Annotated[str, Field(pattern=r"^/v1/\S*$", max_length=500)] = "/v1/claims"
    """The address that developers are shown first."""
    search: SearchWords = SearchWords()
    examples: Examples = Examples()
    """In a file of their own, `examples.json`."""
    cds: CdsManifest | None = None
    """What the CDS Hooks services check and say; by default what follows from the interaction rules."""

    dose_tiers: tuple[DoseTiers, ...] = ()
    """The bands of doses that are told apart, by intervention; at most one entry for each."""
    vocabularies: Vocabularies = Vocabularies()
    """Terms that the data set adds to those that come with the software."""
    grading: Grading | None = None
    """The method by which claims are graded, where it is not that of the software."""

    @property
    def language(self) -> str:
        """The main language."""
        return self.languages[0]

    @property
    def code_systems(self) -> CodeSystems:
        """Those that come with the software, and the data set's own."""
        return code_systems_of(self.vocabularies)

    @property
    def study_designs(self) -> StudyDesigns:
        """Those that come with the software, and the data set's own."""
        return study_designs_of(self.vocabularies)

    @property
    def units(self) -> Units:
        """The units of doses: those that come with the software, and the data set's own."""
        return units_of(self.vocabularies)

    def term(self, vocabulary: str, term_id: str) -> OpenTerm | None:
        """A term by the name of its vocabulary, such as `route`, and its id; null if there is none."""
        return next((term for term in with_shipped(self.vocabularies).terms(vocabulary) if term.id == term_id), None)

    def label(self, vocabulary: str, term_id: str) -> str:
        """The label of a term; its id if there is no such term."""
        term = self.term(vocabulary, term_id)
        return term.label if term else term_id

    @property
    def evidence_id(self) -> str:
        """Names what is made of the whole data set: its FHIR Library, its feeds."""
        return f"{self.id}-evidence"

    def disclaimer(self, interventions: Collection[str] | None = None) -> str:
        """The disclaimers of these interventions and those that hold of all data; all of them for null."""
        return " ".join(
            disclaimer.text
            for disclaimer in self.disclaimers
            if disclaimer.intervention is None or interventions is None or disclaimer.intervention in interventions
        )


UNDESCRIBED = Manifest(
    id="undescribed",
    name="Evidence",
    title="Claims, and the research that supports and disputes them",
    description="Claims with the citations that support and dispute them.",
    publisher=Publisher(name="Unknown"),
    licence=DataLicence(name="Not stated"),
    citation="Evidence",
    disclaimers=(
        Disclaimer(
            text="This is a record of published evidence with its sources, not medical advice, and not a guideline. "
            "Do not start, stop or combine a treatment without your prescriber. In an emergency call your local "
            "emergency number."
        ),
    ),
)
"""Stands for a data set that does not describe itself."""


# --- as it is stored -----------------------------------------------------------------------------------------------


class StoredManifest(Base):
    """What the data set says about itself from one serial on."""

    __tablename__ = "manifests"
    serial: Mapped[int] = mapped_column(ForeignKey("publications.serial"), primary_key=True, autoincrement=False)
    content: Mapped[TextColumn]


def manifest_at(session: Session, serial: int | None = None) -> Manifest | None:
    """The manifest at a serial, by default the newest; null where none was applied by then."""
    rows = select(StoredManifest.content).order_by(StoredManifest.serial.desc()).limit(1)
    content = session.scalar(rows if serial is None else rows.where(StoredManifest.serial <= serial))
    return None if content is None else Manifest.model_validate_json(content)


@contextmanager
def about_to_apply(session: Session, manifest: Manifest | None) -> Iterator[None]:
    """What is published inside may use the terms of this manifest, and what is derived follows it: it is stored with
    the serial that is published."""
    session.info["manifest"] = manifest
    try:
        yield
    finally:
        del session.info["manifest"]


def manifest_in_force(session: Session) -> Manifest:
    """The manifest that derived values of this transaction follow."""
    applied: Manifest | None = session.info.get("manifest")
    return applied or manifest_at(session) or UNDESCRIBED


_CURRENT = SerialMemory(manifest_at)


def current_manifest(session: Session) -> Manifest:
    """The manifest as of now, or the one that is about to be applied; `UNDESCRIBED` where none was applied."""
    applied: Manifest | None = session.info.get("manifest")
    return applied or _CURRENT.get(session) or UNDESCRIBED


def current_vocabularies(session: Session) -> Vocabularies:
    """The terms that the data set adds."""
    return current_manifest(session).vocabularies


def current_terms(session: Session) -> Vocabularies:
    """The terms that come with the software, and those of the data set."""
    return with_shipped(current_vocabularies(session))


def current_code_systems(session: Session) -> CodeSystems:
    """The code systems that come with the software, and those of the data set."""
    return current_manifest(session).code_systems


def current_units(session: Session) -> Units:
    """The units of doses that come with the software, and those of the data set."""
    return current_manifest(session).units
