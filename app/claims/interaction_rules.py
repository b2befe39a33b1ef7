"""Interaction rules: which sets of drugs are warned of together, and on which claims the warning rests.

The rules are records of the data set (`seed_data/interaction_rules.yaml`); no code names a drug or a claim of theirs.
"""

from collections.abc import Iterator
from typing import Literal

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from app.claims import models
from app.claims.catalogue_responses import InteractionRuleRead, SituationClaimsRead
from app.claims.derived import Nothing
from app.claims.rendering import concepts, record_fields, summary
from app.claims.schemas import InteractionRuleWrite
from app.concepts.models import Concept
from app.core.content import RecordLinks
from app.core.text import RuleViolation
from app.core.vocabulary import Status
from app.storage.filter_bitmaps import PUBLISHED
from app.storage.filter_index import FilterSpec, values
from app.storage.history import RecordState, StoredRecord
from app.storage.resource import FieldReference, Key, RecordReader, Stamp
from app.storage.rows import RowWriter
from app.storage.serial_memory import SerialMemory

_SIDES: tuple[Literal["first", "second"], ...] = ("first", "second")


def rule_faults(rule: InteractionRuleWrite) -> list[RuleViolation]:
    """Both sets hold something, and each situation stands once."""
    faults: list[RuleViolation] = []
    faults += [(side, "names at least one intervention") for side in _SIDES if not getattr(rule, side)]
    situations = [entry.situation for entry in rule.claims]
    faults += [(f"claims[{i}].situation", "stands twice") for i, one in enumerate(situations) if one in situations[:i]]
    codes = [reason.code for reason in rule.override_reasons]
    faults += [(f"override_reasons[{i}].code", "stands twice") for i, code in enumerate(codes) if code in codes[:i]]
    return faults


def references(rule: InteractionRuleWrite) -> Iterator[FieldReference]:
    for side in _SIDES:
        for i, intervention in enumerate(getattr(rule, side)):
            yield FieldReference(f"{side}[{i}]", Key("intervention", intervention))
    for i, entry in enumerate(rule.claims):
        for j, claim in enumerate(entry.claims):
            yield FieldReference(f"claims[{i}].claims[{j}]", Key("claim", claim))


def apply(rows: RowWriter, rule: InteractionRuleWrite) -> None:
    columns = rule.model_dump(include={"status", "successor", "name", "severity"})
    rows.put(models.InteractionRule, rule.id, columns)


def link(rows: RowWriter, rule: InteractionRuleWrite) -> None:
    owner = {"rule_pk": rows.key(models.InteractionRule, rule.id)}
    drugs = (
        {"side": side, "concept_pk": rows.key(Concept, intervention, "intervention")}
        for side in _SIDES
        for intervention in getattr(rule, side)
    )
    rows.replace(models.InteractionRuleDrug, owner, drugs)
    claims = (
        {"situation": entry.situation, "claim_pk": rows.key(models.Claim, claim)}
        for entry in rule.claims
        for claim in entry.claims
    )
    rows.replace(models.InteractionRuleClaim, owner, claims)


def render(
    records: RecordReader, content: InteractionRuleWrite, _derived: Nothing, stamp: Stamp
) -> InteractionRuleRead:
    fields, links = record_fields("interaction-rules", content, stamp)
    return InteractionRuleRead(
        type="interaction_rule",
        **fields,
        name=content.name,
        first=concepts(records, "intervention", content.first),
        second=concepts(records, "intervention", content.second),
        severity=content.severity,
        claims=tuple(
            SituationClaimsRead(
                situation=entry.situation, claims=tuple(summary(records, claim_id) for claim_id in entry.claims)
            )
            for entry in content.claims
        ),
        override_reasons=content.override_reasons,
        links=RecordLinks(**links),
    )


_PUBLISHED = models.InteractionRule.status == Status.published
FILTERS = FilterSpec(
    models.InteractionRule,
    (
        values(
            models.InteractionRule.pk,
            {PUBLISHED.name: literal(PUBLISHED.value), "severity": models.InteractionRule.severity},
        ).where(_PUBLISHED),
        values(models.InteractionRule.pk, {"intervention": Concept.id})
        .join(models.InteractionRuleDrug, models.InteractionRuleDrug.rule_pk == models.InteractionRule.pk)
        .join(Concept, Concept.pk == models.InteractionRuleDrug.concept_pk)
        .where(_PUBLISHED),
    ),
)


def _read(session: Session) -> tuple[InteractionRuleWrite, ...]:
    contents = session.scalars(
        select(StoredRecord.content)
        .where(StoredRecord.type == "interaction_rule", StoredRecord.status == Status.published)
        .order_by(StoredRecord.id)
    )
    return tuple(map(InteractionRuleWrite.model_validate_json, contents))


def rules_at(session: Session, serial: int) -> tuple[InteractionRuleWrite, ...]:
    """The rules that were published at a serial, by id."""
    newest = (
        select(RecordState.id, func.max(RecordState.serial).label("serial"))
        .where(RecordState.type == "interaction_rule", RecordState.serial <= serial)
        .group_by(RecordState.id)
        .subquery()
    )
    contents = session.scalars(
        select(RecordState.content)
        .join(newest, (RecordState.id == newest.c.id) & (RecordState.serial == newest.c.serial))
        .where(RecordState.type == "interaction_rule", RecordState.status == Status.published)
        .order_by(RecordState.id)
    )
    return tuple(map(InteractionRuleWrite.model_validate_json, contents))


_memory: SerialMemory[tuple[InteractionRuleWrite, ...]] = SerialMemory(_read)


def interaction_rules(session: Session) -> tuple[InteractionRuleWrite, ...]:
    """The published rules at the serial that the session sees, by id."""
    return _memory.get(session)
