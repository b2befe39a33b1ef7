"""The lists of a prefetch: what is in them, and what is missing from them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.cds_hooks.bounds import MAX_ENTRIES
from app.cds_hooks.fhir_json import member, objects, text_member

Resource = Mapping[str, Any]

_ORDERS = ("MedicationRequest", "MedicationStatement")


class Gap(StrEnum):
    """Why a check may be incomplete."""

    omitted = "omitted"
    refused = "refused"
    paged = "paged"
    unreadable = "unreadable"
    unrecognised = "unrecognised"
    unread_draft = "unread-draft"
    too_large = "too-large"

    @property
    def words(self) -> str:
        return _GAP_WORDS[self]


_GAP_WORDS = {
    Gap.omitted: "a list was not sent",
    Gap.refused: "the record system refused or qualified a list",
    Gap.paged: "only the first page of a list was sent",
    Gap.unreadable: "a list could not be read",
    Gap.unrecognised: "a listed medicine has no readable name, and codes that are not known here",
    Gap.unread_draft: "the drafted order has no readable name, and codes that are not known here",
    Gap.too_large: "the record was too large to read whole",
}


@dataclass(frozen=True)
class ResourceList:
    """One list of a prefetch."""

    resources: tuple[Resource, ...]
    gaps: frozenset[Gap]
    """What is missing, except further pages."""
    is_paged: bool
    """Whether only the first page was sent."""

    @property
    def orders(self) -> Iterator[Resource]:
        return (resource for resource in self.resources if resource.get("resourceType") in _ORDERS)

    def of_type(self, name: str) -> Iterator[Resource]:
        return (resource for resource in self.resources if resource.get("resourceType") == name)


def read_list(value: Any, types: Iterable[str] = _ORDERS) -> ResourceList:
    """A list of resources of some types. Null is the standard's word for an empty one."""
    if value is None:
        return ResourceList((), frozenset(), is_paged=False)
    if not isinstance(value, dict):
        return ResourceList((), frozenset({Gap.unreadable}), is_paged=False)
    types = tuple(types)
    found = tuple(resources(value))
    matches = [resource for resource in found if resource.get("resourceType") in types]
    total = value.get("total")
    has_next = any(link.get("relation") == "next" for link in objects(value.get("link"), MAX_ENTRIES))
    return ResourceList(
        found,
        frozenset(_gaps(value, found, types)),
        is_paged=has_next or (isinstance(total, int) and total > len(matches)),
    )


def _gaps(value: Resource, found: tuple[Resource, ...], types: tuple[str, ...]) -> Iterator[Gap]:
    if any(map(_is_refusal, found)):
        yield Gap.refused
    entries = value.get("entry")
    is_list = value.get("resourceType") in ("Bundle", "OperationOutcome", *types) or entries is not None
    is_whole = entries is None or (isinstance(entries, list) and len(found) >= min(len(entries), MAX_ENTRIES))
    has_list_within = any(resource.get("resourceType") == "Bundle" for resource in found)
    if not is_list or not is_whole or has_list_within:
        yield Gap.unreadable
    if is_too_long(value):
        yield Gap.too_large


def is_too_long(bundle: Any) -> bool:
    """Whether a Bundle has more entries than are read."""
    entries = member(bundle, "entry")
    return isinstance(entries, list) and len(entries) > MAX_ENTRIES


def resources(value: Any) -> Iterator[Resource]:
    """The resources of a Bundle, or the one resource in its place."""
    if not isinstance(value, dict):
        return
    if "entry" not in value and value.get("resourceType") != "Bundle":
        yield value
    for entry in objects(value.get("entry"), MAX_ENTRIES):
        if isinstance(resource := entry.get("resource"), dict):
            yield resource


def medications(bundles: Iterable[Any]) -> dict[str, Resource]:
    """Medication resources by every address under which something may refer to them."""
    found: dict[str, Resource] = {}
    for entry in (entry for bundle in bundles for entry in objects(member(bundle, "entry"), MAX_ENTRIES)):
        resource: Any = entry.get("resource")
        if member(resource, "resourceType") == "Medication":
            if identifier := text_member(resource, "id"):
                found[f"Medication/{identifier}"] = resource
            if url := text_member(entry, "fullUrl"):
                found[url] = resource
    return found


# --- what a server says about its own answer ----------------------------------------------------------------------

_HARMLESS = frozenset({"4101", "4117", "4119", "4122", "59100", "59109", "59133"})
"""Codes of Epic's answers that lose nothing: no results (4101); more data may be present (4119), which stands on almost
every answer; a parameter that was ignored, so that more was found than asked (4122)."""
_LOSSES = frozenset({"4134", "59204", "59205"})
"""Codes that say at any severity that something is held back: not authorized for a part, or for outside records."""


def _is_refusal(resource: Resource) -> bool:
    """Whether an OperationOutcome says that results are missing."""
    if resource.get("resourceType") != "OperationOutcome":
        return False
    issues = objects(resource.get("issue"))
    return not issues or any(map(_is_loss, issues))


def _is_loss(issue: Resource) -> bool:
    """By the codes of the issue if it has any that are known, whatever their system; else by its severity."""
    codes = {str(coding.get("code")) for coding in objects(member(issue, "details", "coding"))}
    if codes & _LOSSES:
        return True
    severity = issue.get("severity")
    if severity in ("fatal", "error"):
        return not codes & {"4101"}
    if codes & _HARMLESS or (severity == "warning" and issue.get("code") == "not-found"):
        return False
    return severity != "information"
