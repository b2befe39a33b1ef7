"""The claim that answers for an intervention in each of many conditions."""

from collections.abc import Collection, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.claims import rendering as render
from app.claims.models import Claim, ClaimConcept
from app.claims.responses import ClaimSummary
from app.claims.vocabulary import HARM_KINDS
from app.concepts.lineage import intervention_tree
from app.concepts.models import Concept
from app.questions.relevance import (
    MAIN_KIND,
    RelevantClaim,
    headline_of,
    informative_citations,
    is_relevant,
    on_relatives,
    relevant_claims,
)


def headlines(session: Session, intervention_pk: int, conditions: Collection[str]) -> Mapping[str, ClaimSummary]:
    """Condition → the claim that its coverage names as the headline. Conditions without one are left out, and so are
    those that only a harm is recorded on, since a warning is no answer to whether something helps. Four statements."""
    links = (
        select(ClaimConcept.claim_pk, Concept.id)
        .join(Concept, Concept.pk == ClaimConcept.concept_pk)
        .where(ClaimConcept.role == "condition", Concept.id.in_(conditions))
    )
    subject = on_relatives(intervention_tree(session).with_sources(intervention_pk))
    about = [subject, Claim.pk.in_(links.with_only_columns(ClaimConcept.claim_pk))]
    cited = informative_citations(session, *about)
    claims = {claim.pk: claim for claim in relevant_claims(session, *about) if claim.pk in cited}
    by_condition: dict[str, list[RelevantClaim]] = {}
    for claim_pk, condition in session.execute(
        links.join(Claim, Claim.pk == ClaimConcept.claim_pk).where(*is_relevant([subject]))
    ):
        if claim_pk in claims:
            by_condition.setdefault(condition, []).append(claims[claim_pk])
    best = {name: headline_of(some, (MAIN_KIND["condition"],), intervention_pk) for name, some in by_condition.items()}
    ids = {name: claim.id for name, claim in best.items() if claim and claim.kind not in HARM_KINDS}
    found = render.summaries(session, ids.values()) if ids else {}
    return {name: found[claim_id] for name, claim_id in ids.items()}
