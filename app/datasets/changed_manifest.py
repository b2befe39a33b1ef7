"""What a changed `dataset.yaml` means for what is stored: what is computed anew or refused, and how it is kept."""

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import Actor
from app.claims.models import Citation, Claim
from app.concepts.manifest import UNDESCRIBED, Manifest, StoredManifest, manifest_at
from app.core.errors import Fault, InvalidInput
from app.datasets.entries import Bundle
from app.datasets.files_beside import used_name
from app.datasets.layout import MANIFEST
from app.grading.method import has_same_numbers, method_of
from app.publishing.publish import announce, open_publication
from app.publishing.terms import term_faults
from app.registry import BY_TYPE
from app.sources.models import Study
from app.storage.history import StoredRecord, text_of
from app.storage.resource import Key


def doses_in_other_terms(session: Session, manifest: Manifest | None) -> list[Key]:
    """Stored dosing ranges, if the manifest is about to tell other bands of doses apart; with the claims, whose
    citations hold the doses of studies, if it is about to measure in other units."""
    stored = manifest_at(session) or UNDESCRIBED
    if manifest is None:
        return []
    types = ["dosing_range"] if manifest.dose_tiers != stored.dose_tiers else []
    if manifest.vocabularies.units != stored.vocabularies.units:
        types = ["dosing_range", "claim"]
    rows = session.execute(
        select(StoredRecord.type, StoredRecord.id)
        .where(StoredRecord.type.in_(types))
        .order_by(StoredRecord.type, StoredRecord.id)
    )
    return [Key(*row) for row in rows]


def refuse_dropped_terms(session: Session, manifest: Manifest | None) -> None:
    """InvalidInput if records use terms, or codes of a form, that the manifest no longer has: records that the files do
    not hold, or that were edited here."""
    before = (manifest_at(session) or UNDESCRIBED).vocabularies
    if manifest is None or manifest.vocabularies == before:
        return
    faults = []
    rows = select(StoredRecord.type, StoredRecord.id, StoredRecord.content).order_by(StoredRecord.type, StoredRecord.id)
    for record_type, record_id, text in session.execute(rows):
        content = BY_TYPE[record_type].write.model_validate_json(text)
        known = {(field, fault.code) for field, fault in term_faults(content, before)}
        for field, fault in term_faults(content, manifest.vocabularies):
            if (field, fault.code) not in known:
                faults.append(replace(fault, field=f"{record_type}/{record_id}: {field}"))
    if faults:
        message = f"Stored records use terms that {MANIFEST} no longer has; keep those, or edit the records first."
        raise InvalidInput(message, errors=faults)


def graded_otherwise(session: Session, manifest: Manifest | None) -> list[Key]:
    """Every claim, if the manifest is about to state other numbers or names of the method; else the studies of its own
    designs and the claims that cite them, if it is about to change those."""
    if manifest is None:
        return []
    stored, keys = manifest_at(session) or UNDESCRIBED, []
    claims = select(StoredRecord.id).where(StoredRecord.type == "claim")
    own, former = manifest.vocabularies.study_designs, stored.vocabularies.study_designs
    if own != former:
        of_designs = Study.design.in_({term.id for term in (*own, *former)})
        keys += [Key("study", study_id) for study_id in session.scalars(select(Study.id).where(of_designs))]
        cited = select(Citation.claim_pk).join(Study, Study.pk == Citation.study_pk).where(of_designs)
        claims = select(Claim.id).where(Claim.pk.in_(cited))
    method, before = method_of(manifest), method_of(stored)
    if method.model_dump(exclude={"designs"}) != before.model_dump(exclude={"designs"}):
        claims = select(StoredRecord.id).where(StoredRecord.type == "claim")
    elif own == former:
        return []
    return keys + [Key("claim", claim_id) for claim_id in sorted(set(session.scalars(claims)))]


def refuse_reused_names(session: Session, files: Bundle) -> None:
    """InvalidInput if the method has other numbers under names that an earlier state of the data set was graded by."""
    manifest = files.manifest
    if manifest is None or manifest.grading is None:
        return
    method = method_of(manifest)
    for serial, content in session.execute(select(StoredManifest.serial, StoredManifest.content)):
        earlier = method_of(Manifest.model_validate_json(content))
        is_named_so = (earlier.consensus, earlier.certainty) == (method.consensus, method.certainty)
        if is_named_so and not has_same_numbers(method, earlier):
            raise InvalidInput("Other numbers make another version of the method.", errors=[used_name(files, serial)])


def keep_manifest(session: Session, actor: Actor, manifest: Manifest, serial: int | None) -> int | None:
    """Keep what the data set says of itself from this serial on, or from a new one where no record changed; the serial.

    InvalidInput if the database holds another data set.
    """
    stored = manifest_at(session)
    if stored == manifest:
        return serial
    if stored is not None and stored.id != manifest.id:
        reason = f"is {manifest.id!r}; the database holds the data set {stored.id!r}"
        fault = Fault("file", f"{MANIFEST}: id", "another_data_set", reason)
        raise InvalidInput("A database holds one data set; seed another one into another.", errors=[fault])
    if serial is None:
        serial = open_publication(session, actor, "What the data set says of itself").serial
        announce(session, serial)
    session.add(StoredManifest(serial=serial, content=text_of(manifest)))
    return serial
