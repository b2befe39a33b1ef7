"""Records in a dictionary, because mappers are pure: one contested claim, one warning, and what they refer to."""

from typing import Any

from app.claims.derived import DosingRangeDerived
from app.core.content import Record
from app.grading.derive import computed_claim
from app.storage.resource import Key
from tests.factories import record, wording

BASE = "https://kb.example.org"


class StaticRecords:
    def __init__(self, *records: tuple[str, Record]) -> None:
        self._contents = {Key(record_type, content.id): content for record_type, content in records}

    def content(self, key: Key) -> Any:
        return self._contents[key]

    def derived(self, key: Key) -> Any:
        content: Any = self._contents[key]
        if key.type == "claim":
            return computed_claim(self, content, None)
        return DosingRangeDerived(claims=("ldz-murmuria-pain",))


def _record(record_type: str, record_id: str, **fields: Any) -> tuple[str, Record]:
    return record_type, record(record_type, record_id, **fields).content


def example_records() -> StaticRecords:
    return StaticRecords(
        _record(
            "intervention",
            "zelvane",
            name="Zelvane",
            codes=[
                {"system": "rxnorm", "code": "9990001", "relation": "exactMatch", "verified": True},
                {"system": "rxnorm", "code": "1483744", "relation": "narrowMatch", "verified": True},
                {"system": "atc", "code": "N99XX01", "relation": "exactMatch", "verified": False},
            ],
        ),
        _record(
            "intervention",
            "low-dose-zelvane",
            name="Low-dose zelvane",
            synonyms=["LDZ"],
            kind="regimen",
            parent="zelvane",
        ),
        _record("intervention", "lorts", name="Lort painkillers", kind="class"),
        _record(
            "condition",
            "murmuria",
            name="Murmuria",
            codes=[{"system": "icd10cm", "code": "M99.97", "relation": "exactMatch", "verified": True}],
        ),
        _record("outcome", "pain", name="Pain"),
        _record(
            "study",
            "alder-2013-trial",
            design="randomized_crossover_trial",
            blinding="double_blind",
            participants=31,
            population="Women with murmuria",
            arms=[
                {"name": "Zelvane", "role": "intervention", "dose_text": "4.5 mg a day"},
                {"name": "Placebo", "role": "comparator"},
            ],
        ),
        _record("study", "birch-trial", participants=99),
        _record(
            "document",
            "alder-2013",
            label="Alder 2013",
            title="Low-dose zelvane for the treatment of murmuria",
            authors=[{"family": "Alder", "given": "Ann"}, {"literal": "A Study Group"}],
            authors_complete=False,
            container_title="Journal of Aches & Pains",
            issued="2013-02",
            volume="65",
            issue="2",
            page="529-538",
            identifiers=[
                {"scheme": "doi", "value": "https://doi.org/10.5555/ZELVANE.1"},
                {"scheme": "pmid", "value": "99900001"},
            ],
        ),
        _record("document", "birch-2024", label="Birch 2024", standing=[{"standing": "retracted"}]),
        _record(
            "dosing_range",
            "ldz-4-5-mg",
            intervention="low-dose-zelvane",
            conditions=["murmuria"],
            low=4.5,
            high=4.5,
            unit="mg",
            dose_text="4.5 mg/day",
            schedule={"count": 1, "period": 1, "period_unit": "d", "timing": "in the evening"},
            route="oral",
        ),
        _record(
            "claim",
            "ldz-murmuria-pain",
            statement="Low-dose zelvane reduces pain in people with murmuria.",
            wording=wording(subject="Low-dose zelvane", object="pain in people with murmuria"),
            intervention="low-dose-zelvane",
            conditions=["murmuria"],
            comparator="placebo",
            caveat="The larger trials found no difference from placebo, P > .05 & small.",
            caveat_required=True,
            reviewed_on="2026-11-22",
            citations=[_SUPPORTING, _DISPUTING],
        ),
        _record(
            "claim",
            "zelvane-lort-contraindication",
            kind="interaction",
            form="regulatory_status",
            statement="The label says that zelvane must not be given to people who receive lorts.",
            effect="contraindicated",
            intervention="zelvane",
            conditions=[],
            outcome=None,
            interactants=["lorts"],
            jurisdiction="US",
        ),
    )


_SUPPORTING = {
    "id": "cit-alder",
    "document": "alder-2013",
    "study": "alder-2013-trial",
    "stance": "supports",
    "directness": "direct",
    "role": "primary_result",
    "finding": "Baseline pain fell by 28.8 % on 4.5 mg a day against 18.0 % on placebo.",
    "locator": {"section": "Abstract, Results", "page": "529"},
    "verification": {"result": "verified", "basis": "abstract", "checked_on": "2026-11-22"},
    "estimates": [
        {
            "primary": True,
            "outcome": "pain",
            "unit": "%",
            "p_operator": "=",
            "p_value": 0.016,
            "favours": "intervention",
            "comparison": "between_groups",
            "arms": [
                {"name": "LDZ", "role": "intervention", "value": 28.8},
                {"name": "placebo", "role": "comparator", "value": 18.0},
            ],
        },
    ],
}
_DISPUTING = {
    "id": "cit-birch",
    "document": "birch-2024",
    "study": "birch-trial",
    "stance": "disputes",
    "stance_reason": "n1a_excludes_mid",
    "directness": "direct",
    "role": "primary_result",
    "finding": "No difference found between zelvane and placebo.",
    "verification": {"result": "verified", "basis": "abstract"},
    "estimates": [
        {
            "primary": True,
            "outcome": "pain",
            "measure": "mean_difference",
            "value": -0.34,
            "unit": "{score}",
            "scale": "0-10",
            "ci_low": -0.95,
            "ci_high": 0.27,
            "ci_level": 95,
            "p_operator": "<",
            "p_value": 0.3,
            "n_analysed": 99,
        },
    ],
}
