"""What seeding did, or would do, as lines for a person at a terminal."""

from rich.console import Console

from app.datasets.preview import SeedPreview
from app.datasets.seed import SeedResult


def print_result(console: Console, result: SeedResult) -> None:
    """The numbers, the release and the conflicts."""
    if result.serial is None:
        console.print(f"Seed data: nothing changed ({result.unchanged} records).")
    else:
        retired = f"{len(result.retired)} retired, " if result.retired else ""
        console.print(
            f"Seed data: {len(result.created)} records created, {len(result.updated)} updated, {retired}"
            f"{result.unchanged} unchanged; serial {result.serial}."
        )
    if result.release:
        console.print(f"Release {result.release} cut.")
    for conflict in result.conflicts:
        console.print(f"Conflict: {conflict}", markup=False)


def print_preview(console: Console, preview: SeedPreview) -> SeedResult:
    """Every record that would change, the grades that would move, and the caveats that would go stale."""
    result = preview.result
    for word, keys in (("create", result.created), ("update", result.updated), ("retire", result.retired)):
        for key in keys:
            console.print(f"Would {word} {key.type}/{key.id}", markup=False)
    for move in preview.moves:
        console.print(f"Grade of {move.claim}: {move.before} → {move.after}", markup=False)
    for claim in preview.stale_caveats:
        console.print(f"Caveat of {claim} would be stale: its evidence would not be that on which it rests.")
    for conflict in result.conflicts:
        console.print(f"Conflict: {conflict}", markup=False)
    if result.serial is None:
        console.print(f"Nothing would change ({result.unchanged} records).")
    else:
        retired = f"{len(result.retired)} retired, " if result.retired else ""
        console.print(
            f"{len(result.created)} records would be created, {len(result.updated)} updated, {retired}"
            f"{result.unchanged} stay; grades that would move: {len(preview.moves)}. Nothing was written."
        )
    return result


def print_dropped(console: Console, result: SeedResult, *, retire: bool) -> None:
    """What the files no longer hold; `retire` says whether it was to be retired."""
    for key in result.dropped:
        if key in result.retired:
            continue
        why = ": edited here since it was seeded, so that it stays" if retire else ""
        console.print(f"In no file: {key.type}/{key.id}{why}", markup=False)
    if not result.dropped:
        console.print("The files hold every record that was seeded.")
    elif not retire:
        console.print("To retire them: ldn-evidence seed --prune --yes")
