"""Synthetic records as a curator would write them: patterns and facts as the JSON of each type of record."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from app.claims.vocabulary import Kind, Stance
from benchmarks.synthetic.facts import (
    CONCEPTS,
    CitationFacts,
    CompleteClaim,
    ConceptFacts,
    Pattern,
    PatternCitation,
    Profile,
    SourceFacts,
)

Content = dict[str, Any]
_CONCEPT_FIELDS: dict[str, Content] = {"intervention": {"kind": "drug"}, "outcome": {"better": "lower"}}
_REASONS = {Stance.disputes: "opposite_direction", Stance.inconclusive: "wide_ci"}
_FAVOURS = {Stance.supports: "intervention", Stance.disputes: "comparator"}


def concept(record_type: str, facts: ConceptFacts) -> Content:
    return {
        "id": facts.id,
        "name": facts.name,
        "synonyms": [facts.synonym],
        "description": f"Synthetic {CONCEPTS[record_type][1]} for measurements; it exists nowhere else.",
        **_CONCEPT_FIELDS.get(record_type, {}),
    }


def study(profile: Profile, facts: SourceFacts, condition: str) -> Content:
    return {
        "id": facts.study,
        "name": facts.name,
        "design": profile.design.id,
        "evidence_source": "human_clinical",
        "registry_ids": [{"scheme": "nct", "value": facts.registry_id}] if profile.is_registered else [],
        "conditions": [condition],
        "population": facts.population,
        "participants": profile.participants,
        "arms": [] if profile.participants is None else _arms(profile.dose, profile.participants // 2),
        "blinding": "double_blind" if profile.design.id == "randomized_parallel_trial" else None,
    }


def _arms(dose: str, participants: int) -> list[Content]:
    active = {
        "name": "Active",
        "role": "intervention",
        "participants": participants,
        "dose_text": f"{dose} mg daily",
        "dose_low": Decimal(dose),
        "dose_high": Decimal(dose),
        "dose_unit": "mg",
        "called_low_dose": True,
    }
    return [active, {"name": "Placebo", "role": "comparator", "participants": participants}]


def document(profile: Profile, facts: SourceFacts) -> Content:
    return {
        "id": facts.document,
        "kind": "article-journal",
        "label": f"{facts.family} {facts.year}",
        "title": facts.title,
        "authors": [{"family": facts.family, "given": "A B"}, {"family": "Synthetic", "given": "C"}],
        "container_title": "Journal of Synthetic Results",
        "issued": f"{facts.year}-{profile.month:02d}",
        "volume": facts.volume,
        "page": facts.page,
        "identifiers": [{"scheme": "doi", "value": facts.doi}, {"scheme": "pmid", "value": facts.pmid}],
        "standing": [{"standing": "current", "on": "2025-06-01", "source": "synthetic"}],
        "studies": [{"study": facts.study, "role": "review" if profile.design.is_review else "primary"}],
    }


_WORDINGS = {
    "benefit": {"frame": "benefit", "subject": "The treatment", "verb": "improve", "object": "the outcome"},
    "harm": {"frame": "harm", "subject": "The treatment", "verb": "cause", "object": "the side effect"},
}


def claim(pattern: Pattern, profiles: Sequence[Profile], complete: CompleteClaim) -> Content:
    ids = defaultdict(list)
    for record_type, facts_of_concept in zip(pattern.concept_types, complete.concepts, strict=True):
        ids[record_type].append(facts_of_concept.id)
    facts, outcome = complete.claim, next(iter(ids["outcome"]), None)
    is_mechanism = pattern.kind is Kind.mechanism
    return {
        "id": facts.id,
        "kind": pattern.kind,
        "form": "hypothesis" if is_mechanism else "general_effect",
        "statement": facts.statement,
        "wording": _WORDINGS["harm" if pattern.kind is Kind.safety else "benefit"],
        "effect": "causes" if pattern.kind is Kind.safety else "improves",
        "intervention": ids["intervention"][0],
        "conditions": ids["condition"],
        "mechanisms": ids["mechanism"],
        "side_effects": ids["side_effect"],
        "outcome": outcome,
        "evidence_level": "cell" if is_mechanism else None,
        "population": "Adults" if pattern.has_population else None,
        "timepoint": facts.timepoint if pattern.has_timepoint else None,
        "caveat": facts.caveat if pattern.has_caveat else None,
        "reviewed_on": facts.reviewed_on,
        "citations": [
            {"id": record_id} | _citation(cited, profiles[cited.profile], *facts_and_source, outcome)
            for record_id, cited, facts_and_source in zip(
                citation_ids(complete), pattern.citations, complete.citations, strict=True
            )
        ],
    }


def citation_ids(complete: CompleteClaim) -> Iterable[str]:
    return (f"{complete.claim.id}-c{number}" for number in range(1, len(complete.citations) + 1))


def _citation(
    cited: PatternCitation, profile: Profile, facts: CitationFacts, source: SourceFacts, outcome: str | None
) -> Content:
    stance, is_review = cited.stance, profile.design.is_review
    is_assessed = stance is not Stance.not_assessed
    verified = {"result": "verified", "basis": "abstract", "checked_on": "2025-06-01"}
    return {
        "document": source.document,
        "study": source.study,
        "stance": stance,
        "stance_reason": _REASONS.get(stance),
        "directness": "direct",
        "role": "review_synthesis" if is_review else "primary_result",
        "finding": facts.finding if is_assessed else None,
        "estimates": [_estimate(stance, facts, outcome)] if stance in _FAVOURS and not is_review else [],
        "attached_by": {"by": "curator"},
        "verification": verified if is_assessed else {"result": "unverified"},
    }


def _estimate(stance: Stance, facts: CitationFacts, outcome: str | None) -> Content:
    return {
        "primary": True,
        "outcome": outcome,
        "measure": "mean_difference",
        "value": _decimal(facts.value),
        "scale": "0-10",
        "ci_low": _decimal(facts.ci_low),
        "ci_high": _decimal(facts.ci_high),
        "ci_level": 95,
        "p_operator": "=",
        "p_value": _decimal(facts.p_value),
        "favours": _FAVOURS[stance],
        "comparison": "between_groups",
    }


def _decimal(value: float) -> Decimal:
    return Decimal(str(value))
