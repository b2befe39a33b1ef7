"""Every declared filter of every list, against the same question asked of the whole list in plain Python."""

from collections.abc import Callable, Collection, Iterable
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.registry import RESOURCES
from app.storage.resource import Resource
from tests.contract.support import Item, ids, items_of, the_error

Everything = dict[str, list[Item]]
Reads = dict[str, Callable[[Item], Collection[Any]]]

PAGING = {"limit", "cursor", "sort"}
APART = {
    "fields",
    "labels",
    "descendants",
    "dose",
    "citations",
    "facets",
    "updated_since",
    "code",
    "q",
    "format",
    "style",
}
"""Parameters with tests of their own, here or with doses, search and formats: they compare no value of the item."""
HARM_KINDS = ("interaction", "safety")


def named(*parts: Item | None) -> list[str]:
    return [part["id"] for part in parts if part]


def present(*values: Any) -> list[Any]:
    return [value for value in values if value is not None]


CITATION_READS: Reads = {
    "stance": lambda citation: [citation["stance"]],
    "directness": lambda citation: [citation["directness"]],
    "verification": lambda citation: [citation["verification"]["result"]],
    "document": lambda citation: [citation["document"]["id"]],
    "study": lambda citation: named(citation["study"]),
    "doi": lambda citation: present(citation["document"]["doi"]),
    "pmid": lambda citation: present(citation["document"]["pmid"]),
    "design": lambda citation: [citation["study"]["design"]] if citation["study"] else [],
    "evidence_source": lambda citation: [citation["study"]["evidence_source"]] if citation["study"] else [],
    "standing": lambda citation: [citation["document"]["standing"]],
}
CLAIM_READS: Reads = {
    "id": lambda claim: [claim["id"]],
    "intervention": lambda claim: named(claim["intervention"]),
    "condition": lambda claim: named(*claim["conditions"]),
    "mechanism": lambda claim: named(*claim["mechanisms"]),
    "side_effect": lambda claim: named(*claim["side_effects"]),
    "outcome": lambda claim: named(claim["outcome"]),
    "interactant": lambda claim: named(*claim["interactants"]),
    "kind": lambda claim: [claim["kind"]],
    "form": lambda claim: [claim["form"]],
    "effect": lambda claim: [claim["effect"]],
    "subgroup": lambda claim: [claim["subgroup"]["id"] if claim["subgroup"] else "everybody"],
    "consensus": lambda claim: [claim["evidence"]["consensus"]],
    "certainty": lambda claim: [claim["evidence"]["certainty"]],
    "cited": lambda claim: [bool(claim["citations"])],
    "stale": lambda claim: [claim["stale"]],
}
LIST_READS: dict[str, Reads] = {
    "citation": CITATION_READS
    | {"claim": lambda citation: [citation["claim"]["id"]], "role": lambda citation: [citation["role"]]},
    "study": {
        "condition": lambda study: named(*study["conditions"]),
        "design": lambda study: [study["design"]],
        "evidence_source": lambda study: [study["evidence_source"]],
        "recruitment": lambda study: present(study["recruitment"]),
        "results": lambda study: present(study["results"]),
        "is_review": lambda study: [study["is_review"]],
        "document": lambda study: [report["document"]["id"] for report in study["documents"]],
    },
    "document": {
        "kind": lambda document: [document["kind"]],
        "standing": lambda document: [document["standing"]],
        "doi": lambda document: _identifiers(document, "doi"),
        "pmid": lambda document: _identifiers(document, "pmid"),
        "year": lambda document: present(document["year"]),
    },
    "dosing_range": {
        "intervention": lambda dosing: named(dosing["intervention"]),
        "condition": lambda dosing: named(*dosing["conditions"]),
        "basis": lambda dosing: [dosing["basis"]],
        "tier": lambda dosing: dosing["tiers"],
    },
    "search": {
        "intervention": lambda search: named(search["intervention"]),
        "condition": lambda search: named(*search["conditions"]),
        "interactant": lambda search: named(*search["interactants"]),
        "coverage": lambda search: [search["coverage"]],
    },
    "interaction_rule": {
        "intervention": lambda rule: named(*rule["first"], *rule["second"]),
        "severity": lambda rule: [rule["severity"]],
    },
}
"""How the value that a filter compares reads in the items of each list; claims and concepts have rules of their own."""

CONCEPTS = ("intervention", "condition", "mechanism", "side_effect", "outcome")

every_type = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.type)


def _identifiers(document: Item, scheme: str) -> list[str]:
    return [found["normal"] for found in document["identifiers"] if found["scheme"] == scheme]


# --- the same question in plain Python ------------------------------------------------------------------------------


def answered(everything: Everything, record_type: str, **filters: Any) -> list[str]:
    """Ids of the records that meet every filter; a list of values means any of them."""
    asked = {name: values if isinstance(values, list) else [values] for name, values in filters.items()}
    if record_type == "claim":
        return ids(claims(everything, asked))
    if record_type in CONCEPTS:
        if asked.pop("all", None) == [True]:
            return ids(everything[record_type])
        touched = {name for claim in claims(everything, asked) for name in _concepts_of(claim, record_type)}
        return [found for found in ids(everything[record_type]) if found in touched]
    reads = dict(LIST_READS[record_type])
    if record_type in ("study", "document"):
        reads["claim"] = lambda item: [
            citation["claim"]["id"]
            for citation in everything["citation"]
            if citation[record_type] and citation[record_type]["id"] == item["id"]
        ]
    return ids([item for item in everything[record_type] if _meets(item, reads, asked)])


def claims(everything: Everything, asked: dict[str, list[Any]]) -> list[Item]:
    about_citations = {name: values for name, values in asked.items() if name in CITATION_READS}
    about_claims = {name: values for name, values in asked.items() if name not in CITATION_READS}
    drugs = _sources_of_harm(everything, about_claims.pop("intervention", []))
    return [
        claim
        for claim in everything["claim"]
        if _meets(claim, CLAIM_READS, about_claims)
        and (not drugs or _is_about(claim, drugs))
        and (
            not about_citations
            or any(_meets(citation, CITATION_READS, about_citations) for citation in claim["citations"])
        )
    ]


def _sources_of_harm(everything: Everything, asked: list[str]) -> dict[str, bool]:
    """The interventions asked for, and those whose harm they inherit; whether all their claims count, or harms alone.

    A regimen inherits from its drug, a drug from its classes, a class from wider ones.
    """
    interventions = {item["id"]: item for item in everything["intervention"]}
    found: dict[str, bool] = {}
    todo = list(asked)
    while todo:
        heir = interventions[todo.pop()]
        parents = named(heir["parent"]) if heir["kind"] in ("regimen", "class") else []
        classes = [item["id"] for item in interventions.values() if heir["id"] in named(*item["members"])]
        new = {*parents, *classes} - found.keys()
        found |= dict.fromkeys(new, False)
        todo += new
    return found | dict.fromkeys(asked, True)


def _is_about(claim: Item, drugs: dict[str, bool]) -> bool:
    drug = claim["intervention"]["id"] if claim["intervention"] else None
    return drug in drugs and (drugs[drug] or claim["kind"] in HARM_KINDS)


def _meets(item: Item, reads: Reads, asked: dict[str, list[Any]]) -> bool:
    return all(any(value in values for value in reads[name](item)) for name, values in asked.items())


def _concepts_of(claim: Item, record_type: str) -> Iterable[str]:
    if record_type == "intervention":
        return named(claim["intervention"], *claim["interactants"])
    found = claim[record_type] if record_type == "outcome" else claim[f"{record_type}s"]
    return named(found) if record_type == "outcome" else named(*found)


# --- every declared filter ------------------------------------------------------------------------------------------


def declared(openapi: Item, path: str) -> dict[str, list[Any]]:
    """The filters of a list, each with the values of its enumeration, or none where it has no enumeration."""
    filters: dict[str, list[Any]] = {}
    for parameter in openapi["paths"][path]["get"]["parameters"]:
        if parameter["in"] == "query" and parameter["name"] not in PAGING:
            filters[parameter["name"]] = _enumeration(openapi, parameter["schema"])
    return filters


def _enumeration(openapi: Item, schema: Item) -> list[Any]:
    choices = [schema, *schema.get("anyOf", [])]
    for choice in [*choices, *(choice["items"] for choice in choices if "items" in choice)]:
        reference = choice.get("$ref")
        found = openapi["components"]["schemas"][reference.rpartition("/")[2]] if reference else choice
        if found.get("type") == "boolean":
            return [True, False]
        if "enum" in found:
            values: list[Any] = found["enum"]
            return values
    return []


def _sampled(everything: Everything, record_type: str, name: str) -> list[Any]:
    """Values that occur: the first, the middle and the last of them."""
    where, reads = record_type, LIST_READS.get(record_type, {})
    if record_type == "claim" or record_type in CONCEPTS:
        where, reads = ("citation", CITATION_READS) if name in CITATION_READS else ("claim", CLAIM_READS)
    if name == "claim":
        where, reads = "citation", LIST_READS["citation"]
    values = sorted({value for item in everything[where] for value in reads[name](item)})
    return sorted({values[0], values[len(values) // 2], values[-1]})


@every_type
def test_every_filter_gives_what_plain_python_finds(
    client: TestClient, everything: Everything, openapi: Item, resource: Resource
) -> None:
    for name, values in declared(openapi, resource.path).items():
        if name in APART:
            continue
        for value in values or _sampled(everything, resource.type, name):
            sent = str(value).lower() if isinstance(value, bool) else value
            found = _found(client, resource, **{name: sent})
            assert found == answered(everything, resource.type, **{name: value}), (name, value)


@every_type
def test_a_repeated_parameter_means_or(
    client: TestClient, everything: Everything, openapi: Item, resource: Resource
) -> None:
    tried = 0
    for name, values in declared(openapi, resource.path).items():
        if name in APART or True in values:
            continue
        some = (values or _sampled(everything, resource.type, name))[:3]
        assert _found(client, resource, **{name: some}) == answered(everything, resource.type, **{name: some}), name
        tried += 1
    assert tried


def _found(client: TestClient, resource: Resource, **filters: Any) -> list[str]:
    items = items_of(client, resource.path, limit=200, **filters)
    return sorted(ids(items))


@pytest.mark.parametrize(
    ("record_type", "filters"),
    [
        ("claim", {"condition": "murmuria", "kind": "efficacy"}),
        ("claim", {"kind": ["efficacy", "safety"], "intervention": "low-dose-zelvane", "cited": True}),
        ("claim", {"stance": "disputes", "design": "randomized_parallel_trial"}),
        ("claim", {"stance": "supports", "design": "randomized_parallel_trial"}),
        ("claim", {"stance": "disputes", "document": "alder-2013"}),
        ("claim", {"directness": "indirect", "evidence_source": "human_clinical", "stance": ["supports", "mixed"]}),
        ("citation", {"stance": "supports", "design": "randomized_crossover_trial", "directness": "direct"}),
        ("condition", {"intervention": "low-dose-zelvane", "stance": "disputes"}),
        ("side_effect", {"intervention": "low-dose-zelvane", "stance": "supports"}),
        ("study", {"condition": "murmuria", "is_review": False}),
        ("document", {"kind": "article-journal", "year": [2013, 2024]}),
        ("dosing_range", {"intervention": "low-dose-zelvane", "basis": "studied"}),
        ("search", {"intervention": "low-dose-zelvane", "coverage": "not_searched"}),
    ],
    ids=str,
)
def test_different_filters_must_all_hold(
    client: TestClient, everything: Everything, record_type: str, filters: dict[str, Any]
) -> None:
    resource = next(found for found in RESOURCES if found.type == record_type)

    found = _found(client, resource, **filters)
    assert found == answered(everything, record_type, **filters)
    assert len(found) < len(everything[record_type])


def test_filters_about_a_citation_must_hold_on_one_and_the_same(client: TestClient, everything: Everything) -> None:
    """Some claim has a disputing citation and another one of that design: it must not be found."""
    filters = {"stance": "disputes", "design": "randomized_crossover_trial"}
    on_any = [
        claim["id"]
        for claim in everything["claim"]
        if all(
            any(value in CITATION_READS[name](citation) for citation in claim["citations"])
            for name, value in filters.items()
        )
    ]
    found = ids(items_of(client, "/v1/claims", **filters))

    assert set(found) < set(on_any)


def test_the_citations_of_a_claim_are_its_own(client: TestClient, everything: Everything) -> None:
    path = "/v1/claims/ldz-murmuria-pain/citations"
    own = [found for found in everything["citation"] if found["claim"]["id"] == "ldz-murmuria-pain"]
    disputing = [found for found in own if found["stance"] == "disputes"]

    assert items_of(client, path, limit=3) == own
    assert items_of(client, path, stance="disputes") == disputing
    assert 0 < len(disputing) < len(own)
    assert the_error(client, path, claim="ldz-nausea")["field"] == "claim"


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "condition"),
    [
        ("icd10cm:M99.97", "murmuria"),
        ("mesh:D999001", "murmuria"),
        ("icd10cm:M99.97A", "murmuria"),
        ("icd10cm:M98.10", "ravens-disease"),
        ("icd10cm:m98.911", "ravens-disease"),
    ],
)
def test_a_code_stands_for_the_id(client: TestClient, code: str, condition: str) -> None:
    """Also a narrower one than is recorded: its ancestors are tried."""
    by_code = items_of(client, "/v1/claims", condition=code, limit=200)

    assert by_code
    assert by_code == items_of(client, "/v1/claims", condition=condition, limit=200)
    assert ids(items_of(client, "/v1/conditions", code=code)) == [condition]
    resolved = client.get("/v1/resolve", params={"identifier": code}).json()["items"]
    assert ("condition", condition) in {(item["type"], item["id"]) for item in resolved}


@pytest.mark.parametrize(
    "code", ["icd10cm:Z99.9", "mesh:D000000", "icd10cm:", "nosuch:M99.97", "icd10cm:M99.97; --", ":"]
)
def test_a_code_that_nothing_carries_is_refused(client: TestClient, code: str) -> None:
    assert the_error(client, "/v1/claims", condition=code)["field"] == "condition"


def test_descendants_add_what_is_narrower(client: TestClient, everything: Everything) -> None:
    parents = {item["parent"]["id"] for item in everything["condition"] if item["parent"]}
    assert parents
    for parent in sorted(parents):
        family, size = {parent}, 0
        while len(family) > size:
            size = len(family)
            family |= {
                item["id"] for item in everything["condition"] if item["parent"] and item["parent"]["id"] in family
            }
        found = ids(items_of(client, "/v1/claims", condition=parent, descendants="true", limit=200, sort="id"))
        assert found == answered(everything, "claim", condition=sorted(family)), parent
        assert ids(items_of(client, "/v1/claims", condition=parent, limit=200, sort="id")) == answered(
            everything, "claim", condition=parent
        )


def test_harm_crosses_from_the_drug_to_its_low_dose(client: TestClient, everything: Everything) -> None:
    found = items_of(client, "/v1/claims", intervention="low-dose-zelvane", limit=200)
    inherited = {claim["id"] for claim in found if claim["intervention"]["id"] == "zelvane"}
    harms = {
        claim["id"]
        for claim in everything["claim"]
        if claim["intervention"] and claim["intervention"]["id"] == "zelvane" and claim["kind"] in HARM_KINDS
    }

    assert inherited == harms
    assert "interaction" in {claim["kind"] for claim in found if claim["id"] in inherited}
    lorts = items_of(client, "/v1/claims", intervention="low-dose-zelvane", kind="interaction", limit=200)
    assert any(claim["effect"] == "contraindicated" for claim in lorts)


@pytest.mark.parametrize(
    ("list_", "parameter", "mistaken", "meant"),
    [
        ("claims", "condition", "murmura", "murmuria"),
        ("claims", "intervention", "low-dose-zelvan", "low-dose-zelvane"),
        ("claims", "document", "alder-2031", "alder-2013"),
        ("claims", "study", "alder-2013-trail", "alder-2013-trial"),
        ("claims", "interactant", "tralortl", "tralort"),
        ("claims", "outcome", "pian", "pain"),
        ("claims", "mechanism", "lort-receptor-blockad", "lort-receptor-blockade"),
        ("claims", "side_effect", "vivid-dreems", "vivid-dreams"),
        ("citations", "document", "alder-2031", "alder-2013"),
        ("citations", "study", "trial-alder-2013", "alder-2013-trial"),
        ("conditions", "intervention", "dose-low-zelvane", "low-dose-zelvane"),
        ("studies", "claim", "ldz-murmuria-pian", "ldz-murmuria-pain"),
        ("studies", "document", "alder-2031", "alder-2013"),
        ("documents", "claim", "murmuria-pain", "ldz-murmuria-pain"),
        ("dosing-ranges", "intervention", "zelvan", "zelvane"),
        ("searches", "interactant", "tralortl", "tralort"),
        ("interaction-rules", "intervention", "zelvan", "zelvane"),
        ("briefs", "condition", "murmura", "murmuria"),
        ("evidence-map", "intervention", "zelvan", "zelvane"),
        ("bibliography", "id", "ldz-murmuria-pian", "ldz-murmuria-pain"),
        ("studies", "condition", "raven-disease", "ravens-disease"),
        ("citations", "claim", "ldz-murmuria-pian", "ldz-murmuria-pain"),
        ("searches", "intervention", "zelvan", "zelvane"),
        ("dosing-ranges", "condition", "liver-diseas", "liver-disease"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(
    client: TestClient, list_: str, parameter: str, mistaken: str, meant: str
) -> None:
    error = the_error(client, f"/v1/{list_}", **{parameter: mistaken})

    assert (error["field"], error["code"]) == (parameter, "unknown_value")
    assert meant in error["did_you_mean"]
    assert len(error["did_you_mean"]) <= 5


@every_type
def test_an_unknown_enumeration_value_is_answered_with_the_allowed_ones(
    client: TestClient, openapi: Item, resource: Resource
) -> None:
    for name, values in declared(openapi, resource.path).items():
        if values and True not in values:
            error = the_error(client, resource.path, **{name: f"{values[0]}x"})
            assert error["field"] == name
            assert error["allowed"] == values
            assert values[0] in error["did_you_mean"]


@pytest.mark.parametrize("list_", ["claims", "citations", "documents"])
def test_a_well_formed_identifier_that_nobody_recorded_finds_nothing(client: TestClient, list_: str) -> None:
    for filters in ({"doi": "10.9999/no.such.paper"}, {"pmid": "99999999"}):
        page = client.get(f"/v1/{list_}", params=filters).json()
        assert (page["items"], page["total"], page["next"]) == ([], 0, None)


@pytest.mark.parametrize("list_", ["claims", "citations", "documents"])
def test_a_malformed_identifier_is_refused(client: TestClient, list_: str) -> None:
    for name, value in (("doi", "zzz"), ("doi", "10.1"), ("pmid", "one"), ("pmid", "0")):
        assert the_error(client, f"/v1/{list_}", **{name: value})["field"] == name, value


@pytest.mark.parametrize(
    "spelled", ["10.5555/zelvane.1", "10.5555/ZELVANE.1", "https://doi.org/10.5555/zelvane.1", "doi:10.5555/zelvane.1"]
)
def test_an_identifier_is_found_however_it_is_spelled(client: TestClient, spelled: str) -> None:
    assert ids(items_of(client, "/v1/documents", doi=spelled)) == ["alder-2013"]


def test_updated_since_is_inclusive(client: TestClient, everything: Everything) -> None:
    latest = max(claim["updated_at"] for claim in everything["claim"])
    expected = [claim["id"] for claim in everything["claim"] if claim["updated_at"] >= latest]

    assert ids(items_of(client, "/v1/claims", updated_since=latest, limit=200, sort="id")) == expected
    assert items_of(client, "/v1/claims", updated_since="2999-01-01T00:00:00Z") == []
    for refused in ("yesterday", "2026-13-01T00:00:00Z", "2026-11-22"):
        assert the_error(client, "/v1/claims", updated_since=refused)["field"] == "updated_since"
