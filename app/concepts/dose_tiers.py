"""Which bands of doses hold for an intervention: its own, else those of the nearest from which it inherits harm."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from app.concepts.lineage import intervention_tree, refs_of, stored_lines
from app.concepts.manifest import Manifest, current_manifest, manifest_in_force
from app.concepts.manifest_doses import DoseBand, DoseTiers


def dose_tiers(session: Session, intervention: str) -> DoseTiers | None:
    """The bands at the serial that the session sees; null where the data set tells none apart."""
    manifest, tree = current_manifest(session), intervention_tree(session)
    above = tree.lines(tree.keys[intervention]) if intervention in tree.keys else ()
    return _nearest(manifest, [intervention, *(tree.refs[pk].id for pk in above)])


def stored_dose_tiers(session: Session, pks: Iterable[int]) -> dict[int, DoseTiers | None]:
    """The bands of interventions as the transaction sees them, with the manifest that is about to be applied."""
    manifest, interventions = manifest_in_force(session), set(pks)
    if not manifest.dose_tiers:
        return dict.fromkeys(interventions)
    lines = {pk: [pk, *stored_lines(session, pk)] for pk in interventions}
    refs = refs_of(session, {one for line in lines.values() for one in line})
    return {pk: _nearest(manifest, [refs[one].id for one in line]) for pk, line in lines.items()}


def all_bands(manifest: Manifest) -> list[DoseBand]:
    """The bands of all interventions, each name once; the first that bears it counts."""
    named: dict[str, DoseBand] = {}
    for tiers in manifest.dose_tiers:
        for band in tiers.bands:
            named.setdefault(band.value, band)
    return list(named.values())


def _nearest(manifest: Manifest, line: Iterable[str]) -> DoseTiers | None:
    by_intervention = {tiers.intervention: tiers for tiers in manifest.dose_tiers}
    return next((by_intervention[one] for one in line if one in by_intervention), None)
