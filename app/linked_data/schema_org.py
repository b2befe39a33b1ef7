"""Claims, documents and the data set as JSON-LD: schema.org, with CiTO for stances and Web Annotation for locators.

The context is inline, because a client without a network cannot fetch one. Addresses are relative, as everywhere in
the API.
"""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from app.bibliography.from_documents import plain_title
from app.claims.catalogue_responses import DocumentWithEvidence
from app.claims.responses import CitationBody, ClaimRead
from app.claims.schemas import DosingRangeWrite
from app.claims.vocabulary import DoseBasis, Stance
from app.concepts.manifest import Manifest
from app.concepts.schemas import ConceptRef
from app.core.english import join_sentences
from app.grading.wording import labelled_answer
from app.sources import identifiers
from app.sources.schemas import Author, DocumentEmbed, Notice
from app.sources.standing import entry_in_force
from app.sources.vocabulary import DocumentKind, IdentifierScheme, Standing

Node = dict[str, Any]

CONTEXT = {
    "@vocab": "https://schema.org/",
    "cito": "http://purl.org/spar/cito/",
    "oa": "http://www.w3.org/ns/oa#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "dcterms": "http://purl.org/dc/terms/",
}

_STANCES = {
    Stance.supports: "cito:isSupportedBy",
    Stance.disputes: "cito:isDisputedBy",
    Stance.mixed: "cito:isQualifiedBy",
    Stance.inconclusive: "cito:isQualifiedBy",
    Stance.background: "cito:citesForInformation",
    Stance.not_assessed: "cito:cites",
}
"""From the claim to the document; CiTO names both directions."""

_TYPES = {
    DocumentKind.article_journal: "MedicalScholarlyArticle",
    DocumentKind.chapter: "Chapter",
    DocumentKind.webpage: "WebPage",
    DocumentKind.legislation: "WebPage",
    DocumentKind.report: "Report",
    DocumentKind.dataset: "Dataset",
}
_SCHEDULES = {DoseBasis.recommended: "RecommendedDoseSchedule", DoseBasis.maximum: "MaximumDoseSchedule"}
_NOT_IN_IRIS = re.compile(r"[\x00-\x20<>\"{}|\\^`]|%(?![0-9A-Fa-f]{2})")
_PDF_FRAGMENT = "http://tools.ietf.org/rfc/rfc8118"


def claim(read: ClaimRead, dosing: DosingRangeWrite | None) -> Node:
    """The claim, its citations by stance, and an annotation for each citation with a locator."""
    node: Node = {
        "@id": read.links.self,
        "@type": "Claim",
        "identifier": read.id,
        "text": read.statement,
        "abstract": join_sentences(
            labelled_answer(read.evidence.verdict, read.evidence.answer), read.evidence.counts_text
        ),
        "version": read.version,
        "dateModified": read.updated_at,
        "url": {"@id": read.links.permalink},
        "isPartOf": {"@id": "/v1/meta"},
        "about": list(_about(read, dosing)),
        "citation": [{"@id": i} for i in dict.fromkeys(_document_id(c.document) for c in read.citations)],
    }
    if read.caveat:
        node["comment"] = {"@type": "Comment", "name": "Caveat", "text": read.caveat}
    if read.origins:
        stated = dict.fromkeys(origin.document.id for origin in read.origins)
        node["appearance"] = [{"@id": f"/v1/documents/{document}"} for document in stated]
    for citation in read.citations:
        node.setdefault(_STANCES[citation.stance], []).append({"@id": _document_id(citation.document)})
    documents = {c.document.id: _cited(c.document) for c in read.citations}
    annotations = (annotation for c in read.citations if (annotation := _annotation(read, c)))
    return {"@context": CONTEXT, "@graph": [node, *documents.values(), *annotations]}


def document(read: DocumentWithEvidence) -> Node:
    node: Node = {
        **_work(read.links.self, read.doi, read.kind, plain_title(read.title, read.label, read.standing)),
        **_standing(read.standing, entry_in_force(read.standing_history).notice),
        "identifier": [
            {"@type": "PropertyValue", "propertyID": identifier.scheme, "value": identifier.normal}
            for identifier in read.identifiers
        ],
    }
    optional = {
        "author": [_author(author) for author in read.authors],
        "datePublished": read.issued,
        "pagination": read.page,
        "publisher": {"@type": "Organization", "name": read.publisher} if read.publisher else None,
        "url": {"@id": _iri(read.url)} if read.url else None,
        "isPartOf": _container(read),
    }
    node |= {name: value for name, value in optional.items() if value}
    return {"@context": CONTEXT, **node}


def dataset(*, version: str, serial: int, updated_at: str | None, manifest: Manifest) -> Node:
    """The whole knowledge base, for search engines of data sets."""
    downloads = ("application/json", "/v1/claims"), ("application/vnd.citationstyles.csl+json", "/v1/bibliography")
    node: Node = {
        "@id": "/v1/meta",
        "@type": "Dataset",
        "name": manifest.name,
        "description": f"{manifest.description} {manifest.disclaimer()}",
        "publisher": {"@type": "Organization", "name": manifest.publisher.name},
        "version": version,
        "identifier": f"serial:{serial}",
        **({"license": {"@id": manifest.licence.url}} if manifest.licence.url else {}),
        "isAccessibleForFree": True,
        "inLanguage": list(manifest.languages),
        "distribution": [
            {"@type": "DataDownload", "encodingFormat": media, "contentUrl": {"@id": url}} for media, url in downloads
        ],
    }
    return {"@context": CONTEXT, **node, **({"dateModified": updated_at} if updated_at else {})}


def condition_page(title: str, condition: ConceptRef, intervention: ConceptRef, reviewed_on: str | None) -> Node:
    """A page for people about an intervention in a condition."""
    node: Node = {
        "@id": f"/conditions/{condition.id}",
        "@type": "MedicalWebPage",
        "name": title,
        "about": [
            _concept("conditions", "MedicalCondition", condition),
            _concept("interventions", "MedicalTherapy", intervention),
        ],
        "isPartOf": {"@id": "/v1/meta"},
        "audience": [{"@type": "Patient"}, {"@type": "MedicalAudience", "audienceType": "Clinician"}],
    }
    return {"@context": CONTEXT, **node, **({"lastReviewed": reviewed_on} if reviewed_on else {})}


def claim_review(read: ClaimRead, publisher: str) -> Node | None:
    """The verdict as a ClaimReview, for search engines; null where the claim gathers no votes or nobody states it.

    The verdict is in words only: a number would pretend to a scale.
    """
    if read.wording is None or not read.origins:
        return None
    stated = dict.fromkeys(origin.document.id for origin in read.origins)
    address = read.links.html
    return {
        "@context": "https://schema.org",
        "@type": "ClaimReview",
        "@id": address,
        "url": address,
        "claimReviewed": read.statement,
        "datePublished": read.updated_at,
        "author": {"@type": "Organization", "name": publisher},
        "itemReviewed": {
            "@type": "Claim",
            "appearance": [{"@type": "CreativeWork", "url": f"/documents/{document}"} for document in stated],
        },
        "reviewRating": {
            "@type": "Rating",
            "alternateName": read.evidence.verdict.label,
            "ratingExplanation": join_sentences(read.evidence.answer, read.evidence.counts_text, read.caveat),
        },
    }


# --- claims -------------------------------------------------------------------------------------------------------


def _about(read: ClaimRead, dosing: DosingRangeWrite | None) -> Iterable[Node]:
    if read.intervention:
        drug: Node = {"@type": "Drug", "name": read.intervention.name}
        if schedules := _schedules(dosing) if dosing else []:
            drug["doseSchedule"] = schedules
        yield _concept("interventions", "MedicalTherapy", read.intervention) | {"drug": drug}
    for plural, kind, concepts in (
        ("conditions", "MedicalCondition", read.conditions),
        ("mechanisms", "MedicalEntity", read.mechanisms),
        ("side-effects", "MedicalSignOrSymptom", read.side_effects),
        ("interventions", "MedicalTherapy", read.interactants),
    ):
        yield from (_concept(plural, kind, concept) for concept in concepts)
    if read.outcome:
        yield {"@id": f"/v1/outcomes/{read.outcome.id}", "@type": "MedicalEntity", "name": read.outcome.name}


def _concept(plural: str, kind: str, concept: ConceptRef) -> Node:
    return {"@id": f"/v1/{plural}/{concept.id}", "@type": kind, "name": concept.name}


def _schedules(dosing: DosingRangeWrite) -> list[Node]:
    """A schedule holds one dose, so a range is two schedules. Only an authority's dose is `recommended`."""
    ends = dict.fromkeys(end for end in (dosing.low, dosing.high) if end is not None)
    shared = {
        "@type": _SCHEDULES.get(dosing.basis, "ReportedDoseSchedule"),
        "name": dosing.dose_text,
        **({"doseUnit": dosing.unit} if dosing.unit else {}),
        **({"frequency": dosing.schedule.text} if dosing.schedule.text else {}),
        **({"targetPopulation": dosing.population} if dosing.population else {}),
    }
    return [{**shared, "doseValue": float(end)} for end in ends]


def _annotation(read: ClaimRead, citation: CitationBody) -> Node | None:
    """The place of the finding in the document (W3C Web Annotation); null without a locator."""
    locator = citation.locator
    parts = (locator.section, locator.figure, f"p. {locator.page}" if locator.page else None)
    label = ", ".join(part for part in parts if part)
    selectors = list(_selectors(citation))
    if not label and not selectors:
        return None
    target: Node = {"@type": "oa:SpecificResource", "oa:hasSource": {"@id": _document_id(citation.document)}}
    if label:
        target["rdfs:label"] = label
    if selectors:
        target["oa:hasSelector"] = selectors
    return {
        "@id": f"/v1/citations/{citation.id}",
        "@type": "oa:Annotation",
        "oa:motivatedBy": {"@id": "oa:linking"},
        "oa:hasBody": {"@id": read.links.self},
        "oa:hasTarget": target,
    }


def _selectors(citation: CitationBody) -> Iterable[Node]:
    locator = citation.locator
    for words in citation.quotes:
        yield {"@type": "oa:TextQuoteSelector", "oa:exact": words.text}
    if locator.page and locator.page.isdecimal():
        yield {
            "@type": "oa:FragmentSelector",
            "rdf:value": f"page={locator.page}",
            "dcterms:conformsTo": {"@id": _PDF_FRAGMENT},
        }


# --- documents ----------------------------------------------------------------------------------------------------


def _document_id(embed: DocumentEmbed) -> str:
    return embed.links.doi or embed.links.self


def _work(self: str, doi: str | None, kind: DocumentKind, name: str) -> Node:
    address = identifiers.address(IdentifierScheme.doi, doi) if doi else None
    node: Node = {"@id": address or self, "@type": _TYPES[kind], "name": name}
    return node | {"mainEntityOfPage": {"@id": self}} if address else node


def _standing(standing: Standing, notice: Notice | None) -> Node:
    """The standing of the work, with the notice of a correction or retraction."""
    node: Node = {"creativeWorkStatus": standing.label}
    address = notice and (identifiers.doi_address(notice.doi) if notice.doi else notice.url)
    if address:
        node["correction"] = {"@id": _iri(address)}
    elif notice and notice.text:
        node["correction"] = notice.text
    return node


def _cited(embed: DocumentEmbed) -> Node:
    """A document as a claim cites it. The whole record is at the document's own address."""
    identifiers = (("doi", embed.doi), ("pmid", embed.pmid), ("pmcid", embed.pmcid))
    node: Node = {
        "@id": _document_id(embed),
        "@type": "CreativeWork",
        "name": plain_title(embed.title, embed.label, embed.standing),
        **_standing(embed.standing, embed.notice),
        "identifier": [{"@type": "PropertyValue", "propertyID": n, "value": v} for n, v in identifiers if v],
        "mainEntityOfPage": {"@id": embed.links.self},
    }
    return node | ({"datePublished": embed.issued} if embed.issued else {})


def _iri(address: str) -> str:
    """The address with what no IRI may hold percent-encoded (RFC 3987)."""
    return _NOT_IN_IRIS.sub(lambda match: quote(match[0], safe=""), address)


def _author(author: Author) -> Node:
    if author.literal:
        return {"@type": "Organization", "name": author.literal}
    names = {"familyName": author.family, "givenName": author.given}
    return {"@type": "Person", **{name: value for name, value in names.items() if value}}


def _container(read: DocumentWithEvidence) -> Node | None:
    """The issue, in its volume, in its journal, as far as they are recorded."""
    if read.container_title is None:
        return None
    if read.kind is DocumentKind.chapter:
        return {"@type": "Book", "name": read.container_title}
    node: Node = {"@type": "Periodical", "name": read.container_title}
    if read.volume:
        node = {"@type": "PublicationVolume", "volumeNumber": read.volume, "isPartOf": node}
    if read.issue:
        node = {"@type": "PublicationIssue", "issueNumber": read.issue, "isPartOf": node}
    return node
