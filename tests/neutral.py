"""The data set that the tests of the program run on: invented drugs and conditions in which everything occurs that the
program treats in a way of its own. Nothing in it is true; its DOIs begin with 10.5555, the prefix for examples.

Zelvane is a drug with a low dose, contested in murmuria; it must not be taken with lorts, a class of painkillers.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from app.datasets.layout import file_name
from app.publishing.changes import Change
from app.registry import RESOURCES
from tests.factories import Fields, citation, record, wording

DRUG, LOW_DOSE, CLASS = "zelvane", "low-dose-zelvane", "vanes"
CONDITION, UNSTUDIED = "murmuria", "palewing"
"""The one has trials on both sides, of the other no study was found."""
OPPOSED = "lorts"
"""The class of drugs that must not meet the drug."""
CONTESTED, WARNING = "ldz-murmuria-pain", "zelvane-lort-contraindication"
"""The claim with trials on both sides, and the one that says what must not meet."""
MANY = 40
"""Claims that are there to be counted and paged through."""

LOW_DOSE_TEXT = "No low-dose zelvane product is approved anywhere."
DRUG_TEXT = "Zelvane takes away the effect of lorts: do not combine them without your prescriber."

MANIFEST: Fields = {
    "id": "zelvane",
    "name": "Zelvane Evidence",
    "title": "What is claimed about low-dose zelvane, and what the research says",
    "description": "Invented claims about zelvane with the citations that support and dispute them.",
    "publisher": {"name": "Testers of Zelvane", "url": "https://zelvane.example", "contact": "zelvane@example.org"},
    "licence": {
        "name": "Creative Commons Zero v1.0 Universal",
        "spdx": "CC0-1.0",
        "url": "https://creativecommons.org/publicdomain/zero/1.0/",
    },
    "citation": "Zelvane Evidence, invented claims with their citations",
    "disclaimers": [
        {"text": "This is a record of invented evidence, not medical advice."},
        {"intervention": LOW_DOSE, "text": LOW_DOSE_TEXT},
        {"intervention": DRUG, "text": DRUG_TEXT},
    ],
    "default_intervention": LOW_DOSE,
    "questions": [
        {"question": "Does it help pain in murmuria?", "claim": CONTESTED},
        {"question": "What is known about it in murmuria?", "condition": CONDITION},
        {"question": "Does it cause vivid dreams?", "side_effect": "vivid-dreams"},
    ],
    "first_call": "/v1/claims?condition=murmuria&kind=efficacy&limit=3",
    "dose_tiers": [
        {
            "intervention": DRUG,
            "unit": "mg",
            "per": "day",
            "bands": [
                {"value": "tiny", "label": "Tiny", "definition": "Below 1 mg a day.", "below": 1},
                {"value": "low", "label": "Low", "definition": "From 1 to 5 mg a day.", "up_to": 5},
                {"value": "standard", "label": "Standard", "definition": "More than 5 mg a day."},
            ],
        }
    ],
    "cds": {
        "intervention": DRUG,
        "services": [
            {
                "hook": "order-select",
                "title": "Zelvane and lorts; low-dose zelvane evidence",
                "description": "While an order is being chosen: warns when zelvane and a lort meet.",
            },
            {
                "hook": "order-sign",
                "title": "Zelvane and lorts; low-dose zelvane evidence",
                "description": "Before orders are signed: warns when zelvane and a lort meet.",
            },
            {
                "hook": "patient-view",
                "title": "Low-dose zelvane on the list of medicines",
                "description": "When a chart is opened: warns when zelvane and a lort are both on the list.",
                "is_on": False,
            },
            {
                "hook": "order-sign",
                "id": "zelvane-liver-disease",
                "title": "Zelvane and liver disease",
                "description": "Before zelvane is signed for somebody with a liver disease: what its label says.",
                "is_on": False,
                "patient_check": "liver-disease",
            },
            {
                "hook": "order-sign",
                "id": "zelvane-hypersensitivity",
                "title": "Zelvane and hypersensitivity",
                "description": "Before zelvane is signed for somebody with an allergy to it: the contraindication.",
                "is_on": False,
                "patient_check": "hypersensitivity",
            },
        ],
        "own_words": ["ldz", "zelvan"],
        "keys": [DRUG, OPPOSED],
        "sides": [DRUG, "a lort"],
        "interactions": [
            {
                "rules": ["zelvane-with-lorts"],
                "note": (
                    "The contraindication is from the label of the 50 mg product. "
                    "No low-dose trial on record here tested zelvane together with a lort."
                ),
                "texts": {
                    "both_drafted": {"name": "zelvane-and-lort-drafted"},
                    "both_current": {"name": "zelvane-and-lort-current"},
                    "proposed": {"name": "zelvane-and-lort-proposed"},
                    "first_after_second": {"name": "zelvane-drafted-lort-recent"},
                    "second_after_first": {"name": "lort-drafted-zelvane-recent"},
                    "first_drafted": {
                        "name": "zelvane-drafted-lort-current",
                        "summary": "Zelvane with a current lort ({second}): the label contraindicates this.",
                    },
                    "second_drafted": {
                        "name": "lort-drafted-zelvane-current",
                        "summary": "Lort ({second}) with current zelvane: the label contraindicates this.",
                    },
                },
            },
            {"rules": ["zelvane-with-hushsyrup"], "texts": {"cautioned": {"name": "zelvane-with-cautioned-medicine"}}},
        ],
        "incomplete": {
            "name": "lort-check-incomplete",
            "summary": "Lort check incomplete: not all medicines could be read.",
        },
        "record_incomplete": {"name": "record-check-incomplete"},
        "reason_checks": [
            {
                "id": "lort-use-disorder",
                "condition": "lort-use-disorder",
                "name": "zelvane-drafted-lort-use-disorder",
                "claims": ["zelvane-lort-free-interval"],
            }
        ],
        "patient_checks": [
            {
                "id": "liver-disease",
                "reads": "conditions",
                "name": "zelvane-drafted-liver-disease",
                "icd10": ["K7", "B18"],
                "words": ["liver disease", "liver failure", "hepatitis", "cirrhosis"],
                "claims": ["zelvane-liver-warning"],
            },
            {
                "id": "hypersensitivity",
                "reads": "allergies",
                "is_critical": True,
                "name": "zelvane-drafted-hypersensitivity",
                "claims": ["zelvane-hypersensitivity"],
            },
        ],
        "evidence": {
            "name": "zelvane-evidence",
            "names": ["LDZ", "low dose"],
            "tiers": ["low"],
            "below_mg": 25,
            "unread_dose": "Dose not read; the order is named as low-dose zelvane.",
            "full_dose_conditions": ["ciderism"],
            "full_dose_tiers": ["low"],
            "claims": ["ldz-not-approved"],
            "conditions": {
                CONDITION: [CONTESTED],
                "gripes": ["ldz-gripes-remission"],
                "weariness": ["ldz-weariness-fatigue"],
            },
            "default_condition": CONDITION,
            "summary_with_answer": "Off-label. {answer}",
        },
        "antidotes": ["unlort"],
        "depots": [
            {"names": ["Lortstay"], "days": 90, "source": "Invented"},
            {"names": ["Zelstay"], "days": 28, "source": "Invented"},
        ],
    },
    "search": {
        "synonyms": [["tummy", "belly"]],
        "expansions": {"lort": "pain pills, painkiller", "liver": "jaundice, yellow eyes"},
        "other_languages": {"murmuria": "murmurie"},
        "risk_terms": ["liver", "lort", "pregnant"],
    },
}
"""What `dataset.yaml` says."""


def records() -> Iterator[Change]:
    """Everything, in an order in which it can be published."""
    yield from _drugs()
    yield from _concepts()
    yield from _studies()
    yield from _documents()
    yield from _doses()
    yield from _contested()
    yield from _harms()
    yield from _facts()
    yield from _numerous()
    yield from _questions()
    yield from _raven()


def write(directory: Path) -> Path:
    """The data set as files in a directory that is there, as curators would keep them."""
    files: dict[str, dict[str, Any]] = {"dataset.yaml": {"dataset": MANIFEST}}
    names = {resource.type: file_name(resource) for resource in RESOURCES}
    for change in records():
        name = names[change.type]
        fields = change.content.model_dump(mode="json", exclude_unset=True, exclude_none=True)
        files.setdefault(name, {}).setdefault(name.removesuffix(".yaml"), []).append(fields)
    for name, content in files.items():
        text = yaml.dump(content, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=120)
        (directory / name).write_text(text, encoding="utf-8")
    return directory


# --- what there is ------------------------------------------------------------------------------------------------


def coded(system: str, code: str, relation: str = "exactMatch") -> Fields:
    return {"system": system, "code": code, "relation": relation, "verified": True, "source": "Invented"}


def _drugs() -> Iterator[Change]:
    yield record(
        "intervention",
        DRUG,
        name="Zelvane",
        synonyms=["zelvane hydrochloride", "zelvanum", "Zelvia", "Zelstay", "Oxizel", "Zelcomp"],
        description="A drug that blocks lort receptors.",
        codes=[
            coded("rxnorm", "9990001"),
            coded("atc", "N99XX01"),
            coded("ndc", "99999-001"),
            coded("rxnorm", "9990011", "narrowMatch"),
            coded("rxnorm", "9990300", "narrowMatch"),
            coded("rxnorm", "9990301", "narrowMatch"),
            coded("mesh", "D999002"),
        ],
    )
    yield record(
        "intervention",
        LOW_DOSE,
        name="Low-dose zelvane",
        synonyms=["LDZ", "low dose zelvane"],
        kind="regimen",
        parent=DRUG,
        description="Zelvane taken in a small fraction of its standard dose.",
    )
    for number, (drug, name, *brands) in enumerate(
        (
            ("oxilort", "Oxilort", "Oxinex", "Oxizel"),
            ("tralort", "Tralort", "Trastop"),
            ("metlort", "Metlort", "Metnova"),
            ("morlort", "Morlort", "Morquil"),
            ("lortstay", "Buplort", "Lortstay"),
        )
    ):
        yield record(
            "intervention",
            drug,
            name=name,
            synonyms=[f"{name.lower()} sulfate", *brands],
            description="A strong painkiller.",
            codes=[
                coded("rxnorm", f"999010{number}"),
                coded("atc", f"N98AA0{number + 1}"),
                coded("rxnorm", f"999011{number}", "narrowMatch"),
                *([coded("rxnorm", "9990300", "narrowMatch")] if "Oxizel" in brands else []),
            ],
        )
    yield record("intervention", "cider", name="Cider", synonyms=["strong cider"], description="A drink.")
    yield record(
        "intervention",
        "comparine",
        name="Comparine",
        synonyms=["Zelcomp"],
        description="A drug approved for murmuria.",
        codes=[coded("rxnorm", "9990301", "narrowMatch")],
    )
    yield record(
        "intervention",
        OPPOSED,
        name="Lorts",
        synonyms=["lort painkillers"],
        kind="class",
        members=["oxilort", "tralort", "metlort", "morlort", "lortstay"],
        description="Painkillers that act on lort receptors.",
    )
    yield record(
        "intervention",
        CLASS,
        name="Vanes",
        kind="class",
        members=[DRUG],
        description="Drugs that block lort receptors.",
    )
    yield record("intervention", "hushsyrup", name="Hushsyrup", description="A medicine against cough.")


def _concepts() -> Iterator[Change]:
    yield record("condition", "chronic-pain", name="Chronic pain", description="Pain that lasts.")
    yield record(
        "condition",
        CONDITION,
        name="Murmuria",
        synonyms=["murm", "MRM", "murmuria syndrome"],
        parent="chronic-pain",
        description="A long-term condition with a soft, widespread ache.",
        codes=[coded("icd10cm", "M99.97"), coded("snomed", "88800001"), coded("mesh", "D999001")],
    )
    yield record(
        "condition",
        UNSTUDIED,
        name="Palewing",
        synonyms=["pale wing disease", "Pale's disease"],
        description="A condition that nobody has studied.",
        codes=[coded("icd10cm", "M99.98")],
    )
    yield record(
        "condition",
        "gripes",
        name="Gripes",
        synonyms=["gripes disease"],
        description="Pains of the belly.",
        codes=[
            coded("icd10cm", "K99"),
            coded("mesh", "D999003"),
            coded("snomed", "88800002") | {"verified": False},
        ],
    )
    yield record(
        "condition",
        "weariness",
        name="Weariness",
        description="A condition with much tiredness.",
        codes=[coded("icd10cm", "R99.81")],
    )
    yield record("condition", "lort-dependence", name="Lort dependence", description="A need for lorts.")
    yield record("condition", "liver-disease", name="Liver disease", description="Any disease of the liver.")
    yield record(
        "condition",
        "ciderism",
        name="Ciderism",
        description="A craving for cider.",
        codes=[coded("icd10cm", "F99.1")],
    )
    yield record(
        "condition",
        "lort-use-disorder",
        name="Lort use disorder",
        synonyms=["Lort dependence"],
        description="A craving for lorts.",
        codes=[coded("icd10cm", "F99.2")],
    )
    yield record("mechanism", "lort-receptor-blockade", name="Lort receptor blockade", description="Blocks receptors.")
    yield record("mechanism", "glow", name="Glow of glial cells", synonyms=["glial glow"], description="Cells glow.")
    for side_effect, name in (
        ("nausea", "Nausea"),
        ("vivid-dreams", "Vivid dreams"),
        ("insomnia", "Insomnia"),
        ("headache", "Headache"),
        ("liver-injury", "Liver injury"),
    ):
        yield record("side_effect", side_effect, name=name, description=f"{name} while the drug is taken.")
    for outcome, name in (
        ("pain", "Pain"),
        ("fatigue", "Fatigue"),
        ("sleep", "Sleep"),
        ("remission", "Remission"),
        ("spasticity", "Spasticity"),
        ("adverse-events", "Adverse events"),
    ):
        better = "higher" if outcome in ("sleep", "remission") else "lower"
        yield record("outcome", outcome, name=name, better=better, description=f"{name}, as it is measured.")


def _arms(dose: float = 4.5) -> list[Fields]:
    given = {"dose_text": f"{dose} mg/day by mouth", "dose_low": dose, "dose_high": dose, "dose_unit": "mg"}
    return [
        {"name": "LDZ", "role": "intervention", **given, "called_low_dose": True},
        {"name": "Placebo", "role": "comparator"},
    ]


def _studies() -> Iterator[Change]:
    blinded: Fields = {"comparator": "placebo", "blinding": "double_blind", "conditions": [CONDITION], "arms": _arms()}
    yield record(
        "study",
        "alder-2013-trial",
        name="Crossover trial of LDZ 4.5 mg in women with murmuria (Alder 2013)",
        design="randomized_crossover_trial",
        registry_ids=[{"scheme": "nct", "value": "NCT99900001"}],
        population="Women with murmuria.",
        participants=31,
        duration="12 weeks",
        **blinded,
    )
    yield record(
        "study",
        "birch-trial",
        name="Randomized trial of LDZ in murmuria (Birch 2024)",
        registry_ids=[{"scheme": "nct", "value": "NCT99900002"}],
        participants=99,
        analysed=99,
        **blinded,
    )
    yield record(
        "study",
        "cedar-trial",
        name="Randomized trial of LDZ in murmuria (Cedar)",
        design="randomized_trial_unspecified",
        participants=58,
        **blinded,
    )
    yield record(
        "study",
        "elm-2023-cohort",
        name="Charts of people with murmuria on LDZ (Elm 2023)",
        design="retrospective_cohort",
        conditions=[CONDITION],
        participants=120,
        limitations=["no_comparator"],
    )
    yield record(
        "study",
        "fir-trial",
        name="Randomized trial of LDZ in gripes (Fir 2011)",
        participants=40,
        conditions=["gripes"],
        arms=_arms(),
        comparator="placebo",
    )
    yield record(
        "study",
        "hazel-trial",
        name="Planned trial of LDZ in murmuria (Hazel)",
        conditions=[CONDITION],
        planned=60,
        recruitment="recruiting",
        results="pending",
        registry_ids=[{"scheme": "nct", "value": "NCT99900003"}],
    )
    yield record("study", "glow-cells", name="Glial cells in a dish", design="laboratory", evidence_source="in_vitro")
    yield record(
        "study",
        "grove-review",
        name="Meta-analysis of LDZ in murmuria (Grove 2024)",
        design="meta_analysis",
        conditions=[CONDITION],
        includes={
            "studies": ["alder-2013-trial", "birch-trial"],
            "completeness": "full",
            "designs": "randomized",
            "study_count": 2,
            "participants": 130,
            "searched_on": "2024-03",
        },
    )


def _article(document: str, number: int, study: str | None, role: str = "primary", **fields: Any) -> Change:
    family = document.split("-")[0].title()
    values: Fields = {
        "label": f"{family} {document[-4:]}",
        "title": f"What zelvane did, as told by {family}",
        "authors": [{"family": family, "given": "Ann"}, {"family": "Leaf", "given": "Bo"}],
        "container_title": "Journal of Invented Results",
        "container_title_short": "J Invent Res",
        "issued": f"{document[-4:]}-02",
        "volume": str(number),
        "issue": "2",
        "page": f"{number}-{number + 9}",
        "identifiers": [
            {"scheme": "doi", "value": f"10.5555/zelvane.{number}"},
            {"scheme": "pmid", "value": f"9990000{number}"},
        ],
        "studies": [{"study": study, "role": role}] if study else [],
    }
    return record("document", document, **{**values, **fields})


def _documents() -> Iterator[Change]:
    yield record(
        "document",
        "hopeful-article",
        kind="webpage",
        label="Hopeful Clinic",
        publisher="Hopeful Clinic",
        interest="publisher_of_service",
        unverified_fields=["title", "authors", "issued", "url"],
    )
    yield _article("alder-2013", 1, "alder-2013-trial")
    yield _article("birch-2024", 2, "birch-trial", url="https://journal.example/birch")
    yield _article("cedar-2025", 3, "cedar-trial", identifiers=[])
    yield _article("elm-2023", 4, "elm-2023-cohort")
    yield _article("fir-2011", 5, "fir-trial")
    yield _article("glow-2009", 6, "glow-cells")
    yield _article("grove-2024", 7, "grove-review", role="review")
    yield _article("oak-2012", 8, None, standing=[{"standing": "retracted", "on": "2015-06", "source": "Invented"}])
    yield record(
        "document",
        "zelvane-label",
        kind="regulation",
        label="Zelvia label",
        title="ZELVIA (zelvane) tablets: prescribing information",
        publisher="Zelvia Laboratories",
        url="https://label.example/zelvia",
        issued="2020",
    )


def _doses() -> Iterator[Change]:
    daily = {"count": 1, "period": 1, "period_unit": "d"}
    studied: Fields = {"intervention": LOW_DOSE, "conditions": [CONDITION], "schedule": daily, "route": "oral"}
    yield record("dosing_range", "ldz-4-5-mg", low=4.5, high=4.5, unit="mg", dose_text="4.5 mg/day", **studied)
    yield record("dosing_range", "ldz-titration", low=0.5, high=6, unit="mg", dose_text="0.5 to 6 mg/day", **studied)
    yield record(
        "dosing_range",
        "zelvane-50-mg",
        intervention=DRUG,
        low=50,
        high=50,
        unit="mg",
        dose_text="50 mg once daily",
        schedule=daily,
        route="oral",
        basis="recommended",
    )


# --- what is claimed ----------------------------------------------------------------------------------------------


def _origin(position: int, asserts: str, *references: int, fit: str = "overstates", hedge: str = "states") -> Fields:
    return {
        "document": "hopeful-article",
        "position": position,
        "section": "What it does",
        "paragraph": 1,
        "reference_numbers": references,
        "asserts": asserts,
        "hedge": hedge,
        "fit": fit,
        "fit_basis": "abstract",
    }


def _effect(claim: str, condition: str, outcome: str, **fields: Any) -> Change:
    name, object_ = outcome, f"{outcome} in people with {condition}"
    return record(
        "claim",
        claim,
        **{
            "statement": f"Low-dose zelvane may change {name} in people with {condition}.",
            "wording": wording(subject="Low-dose zelvane", object=object_),
            "intervention": LOW_DOSE,
            "conditions": [condition],
            "outcome": outcome,
            **fields,
        },
    )


def _contested() -> Iterator[Change]:
    citations = [
        citation(
            "cit-murmuria-pain-alder-2013",
            "alder-2013",
            "alder-2013-trial",
            finding="Daily pain fell by 28.8 % on LDZ and by 18.0 % on placebo (p = 0.016).",
            attached_by={"by": "origin", "reference_numbers": [1]},
            estimates=[
                {
                    "primary": True,
                    "outcome": "pain",
                    "measure": "mean_difference",
                    "value": -0.9,
                    "ci_low": -1.6,
                    "ci_high": -0.2,
                    "ci_level": 95,
                    "p_operator": "=",
                    "p_value": 0.016,
                    "unit": "{score}",
                    "favours": "intervention",
                }
            ],
        ),
        citation(
            "cit-murmuria-pain-birch-2024",
            "birch-2024",
            "birch-trial",
            "disputes",
            finding="Pain fell by 1.3 points on LDZ and by 0.9 on placebo; the difference of 0.34 could be chance.",
            analysed_n=99,
            estimates=[
                {
                    "primary": True,
                    "outcome": "pain",
                    "measure": "mean_difference",
                    "value": -0.34,
                    "ci_low": -0.95,
                    "ci_high": 0.27,
                    "ci_level": 95,
                    "unit": "{score}",
                    "favours": "neither",
                }
            ],
        ),
        citation("cit-murmuria-pain-cedar-2025", "cedar-2025", "cedar-trial", "disputes"),
        citation(
            "cit-murmuria-pain-elm-2023",
            "elm-2023",
            "elm-2023-cohort",
            "inconclusive",
            stance_reason="underpowered",
        ),
        citation("cit-murmuria-pain-grove-2024", "grove-2024", "grove-review", role="review_synthesis"),
        citation("cit-murmuria-pain-oak-2012", "oak-2012", None, "background"),
    ]
    yield _effect(
        CONTESTED,
        CONDITION,
        "pain",
        statement="Low-dose zelvane may reduce pain in people with murmuria.",
        comparator="placebo",
        dosing_range="ldz-4-5-mg",
        population="People with murmuria; one trial enrolled only women",
        origins=[_origin(10, "Cites a trial as having shown that people with murmuria had less pain.", 1)],
        caveat="The two largest trials found no difference from placebo; the supporting trial is small.",
        caveat_required=True,
        caveat_basis=[
            {"citation": found["id"], "stance": found["stance"]}
            for found in citations
            if found["stance"] in ("supports", "disputes", "inconclusive")
        ],
        reviewed_on="2026-11-27",
        citations=citations,
    )
    yield _effect(
        "ldz-murmuria-fatigue",
        CONDITION,
        "fatigue",
        citations=[
            citation("cit-murmuria-fatigue-alder-2013", "alder-2013", "alder-2013-trial", role="secondary_result")
        ],
    )
    yield _effect(
        "ldz-murmuria-sleep",
        CONDITION,
        "sleep",
        wording=wording(subject="Low-dose zelvane", verb="improve", object="sleep in people with murmuria"),
        origins=[_origin(20, "Says that people with murmuria sleep better.", fit="unverifiable", hedge="may")],
    )
    yield _effect(
        "ldz-gripes-remission",
        "gripes",
        "remission",
        wording=wording(subject="Low-dose zelvane", verb="increase", object="remission in people with gripes"),
        citations=[citation("cit-gripes-remission-fir-2011", "fir-2011", "fir-trial")],
    )
    yield _effect(
        "ldz-weariness-fatigue", "weariness", "fatigue", origins=[_origin(30, "Says it helps with tiredness.")]
    )


def _harms() -> Iterator[Change]:
    for side_effect, stance in (("nausea", "supports"), ("vivid-dreams", "supports"), ("headache", "disputes")):
        yield record(
            "claim",
            f"ldz-{side_effect}",
            kind="safety",
            statement=f"Low-dose zelvane can cause {side_effect.replace('-', ' ')}.",
            wording=wording("harm", subject="Low-dose zelvane", object=side_effect.replace("-", " ")),
            effect="causes",
            intervention=LOW_DOSE,
            conditions=[],
            outcome="adverse-events",
            side_effects=[side_effect],
            aspect="occurrence",
            citations=[
                citation(f"cit-{side_effect}-birch-2024", "birch-2024", "birch-trial", stance, role="secondary_result")
            ],
        )


def _official(claim: str, statement: str, kind: str = "safety", **fields: Any) -> Change:
    values: Fields = {
        "kind": kind,
        "form": "regulatory_status",
        "statement": statement,
        "effect": "not_applicable",
        "intervention": DRUG,
        "conditions": [],
        "outcome": None,
        "authority": "FDA",
        "jurisdiction": "US",
        "as_of": "2026-01-01",
        "citations": [citation(f"cit-{claim}", "zelvane-label", None, role="label", finding="The label says so.")],
    }
    return record("claim", claim, **{**values, **fields})


def _facts() -> Iterator[Change]:
    yield _official(
        WARNING,
        "The label says that zelvane must not be given to people who are receiving lorts.",
        "interaction",
        effect="contraindicated",
        conditions=["lort-dependence"],
        interactants=[OPPOSED, "metlort"],
        caveat="The contraindication is from the label of the 50 mg tablet.",
        caveat_required=True,
    )
    yield _official(
        "zelvane-lort-free-interval",
        "The label asks for 7 days without lorts before zelvane is begun.",
        "interaction",
        interactants=[OPPOSED],
    )
    yield _official(
        "zelvane-liver-warning",
        "The label warns of injury to the liver.",
        side_effects=["liver-injury"],
        conditions=["liver-disease"],
    )
    yield _official(
        "zelvane-hypersensitivity", "Zelvane must not be given to people allergic to it.", effect="contraindicated"
    )
    yield _official(
        "vanes-pregnancy-warning",
        "The label of every vane warns of use in pregnancy.",
        intervention=CLASS,
        citations=[],
    )
    yield _official(
        "ldz-not-approved",
        "No low-dose zelvane product is approved by the FDA.",
        "regulatory",
        effect="not_approved",
        intervention=LOW_DOSE,
        citations=[],
    )
    yield record(
        "claim",
        "ldz-glial-glow",
        kind="mechanism",
        statement="Zelvane may dim the glow of glial cells.",
        wording=wording("mechanism", subject="Zelvane", verb="reduce", object="the glow of glial cells"),
        effect="decreases",
        intervention=DRUG,
        conditions=[],
        outcome=None,
        mechanisms=["glow"],
        evidence_level="cell",
        citations=[citation("cit-glow-2009", "glow-2009", "glow-cells")],
    )
    yield _official(
        "zelvane-approved",
        "Zelvane is approved for ciderism.",
        "regulatory",
        effect="approved",
        conditions=["ciderism"],
    )
    yield _official(
        "zelvane-after-stopping",
        "The label warns of overdoses with lorts after zelvane was stopped.",
        effect="causes",
        side_effects=["liver-injury"],
    )
    yield _official(
        "zelvane-hushsyrup-interaction",
        "Zelvane stops hushsyrup from working.",
        "interaction",
        effect="interacts",
        interactants=["hushsyrup"],
    )
    yield _official(
        "zelvane-hushsyrup-in-ciderism",
        "In ciderism zelvane must not be given together with hushsyrup.",
        "interaction",
        effect="contraindicated",
        conditions=["ciderism"],
        interactants=["hushsyrup"],
    )
    yield _official(
        "zelvane-former-warning",
        "The label once warned of injury to the liver.",
        status="retired",
        successor="zelvane-liver-warning",
        citations=[],
    )


def _numerous() -> Iterator[Change]:
    """Claims that differ in nothing but their number."""
    conditions, outcomes = (CONDITION, "gripes", "weariness"), ("pain", "fatigue", "sleep", "spasticity")
    for number in range(MANY):
        yield _effect(
            f"ldz-report-{number:02}",
            conditions[number % 3],
            outcomes[number % 4],
            form="study_report",
            wording=None,
            statement=f"A report, number {number}, says that somebody felt a change on low-dose zelvane.",
            citations=[citation(f"cit-report-{number:02}", "fir-2011", "fir-trial")] if number % 5 == 0 else [],
        )


def _questions() -> Iterator[Change]:
    yield record(
        "search",
        "ldz-palewing",
        question="Has low-dose zelvane been studied in people with palewing?",
        coverage="searched_none_found",
        intervention=LOW_DOSE,
        conditions=[UNSTUDIED],
        topic=None,
        depth="limited",
        found=0,
        sources=["An invented index"],
        searched_on="2026-11",
    )
    yield record(
        "search", "ldz-pregnancy", question="Is it safe in pregnancy?", intervention=LOW_DOSE, topic="Pregnancy"
    )
    yield record(
        "interaction_rule",
        "zelvane-with-lorts",
        name="Zelvane with a lort",
        first=[DRUG],
        second=[OPPOSED],
        claims=[
            {"situation": "together", "claims": [WARNING]},
            {"situation": "first_after_second", "claims": ["zelvane-lort-free-interval"]},
            {"situation": "second_after_first", "claims": ["zelvane-after-stopping"]},
        ],
        override_reasons=[
            {"code": "lort-already-stopped", "label": "The lort was already stopped"},
            {"code": "zelvane-will-be-stopped", "label": "Zelvane will be stopped"},
            {"code": "planned-with-the-patient", "label": "Planned with the patient"},
            {"code": "list-outdated", "label": "The list of medicines is out of date"},
        ],
    )
    yield record(
        "interaction_rule",
        "zelvane-with-hushsyrup",
        name="Zelvane with hushsyrup",
        first=[DRUG],
        second=["hushsyrup"],
        severity="caution",
        claims=[{"situation": "together", "claims": ["zelvane-hushsyrup-interaction"]}],
        override_reasons=[{"code": "planned-with-the-patient", "label": "Planned with the patient"}],
    )


def _raven() -> Iterator[Change]:
    """A disease with an apostrophe, and a trial whose report has what no other has: shares of each arm, a full text."""
    yield record(
        "condition",
        "ravens-disease",
        name="Raven's disease",
        description="A cough that sounds like a raven.",
        codes=[coded("icd10cm", "M98")],
    )
    yield record(
        "intervention",
        "pondine",
        name="Pondine",
        synonyms=["Pondex"],
        description="A drug of which nothing is claimed.",
        codes=[
            coded("rxnorm", "9990200"),
            coded("rxnorm", "9990201"),
            coded("unii", "9X9X9X9X9X"),
            coded("ndc", "99990-0167"),
        ],
    )
    yield record(
        "intervention",
        "ponds",
        name="Ponds",
        kind="class",
        members=["pondine"],
        description="A class of drugs with a code.",
        codes=[coded("atc", "N97AX97")],
    )
    yield record(
        "study",
        "larch-trial",
        name="Randomized trial of LDZ in Raven's disease (Larch 2018)",
        conditions=["ravens-disease"],
        participants=100,
        arms=_arms(),
        comparator="placebo",
        blinding="double_blind",
    )
    yield record(
        "study",
        "lift-trial",
        name="Finished trial of LDZ in weariness, without results (Lift)",
        conditions=["weariness"],
        planned=40,
        recruitment="completed",
        results="none_found",
        registry_ids=[{"scheme": "nct", "value": "NCT99900004"}],
    )
    yield _article(
        "larch-2018",
        9,
        "larch-trial",
        title="Low-dose zelvane in Raven's disease: a small, randomized, blinded crossover trial of cough at night",
        authors=[{"family": "Bye-Møller", "given": "Åse"}, {"family": "Larch", "given": "Bo"}],
        container_title="Invented Bones & Joints",
        container_title_short="Inv Bones Joints",
        identifiers=[
            {"scheme": "doi", "value": "10.5555/zelvane.9"},
            {"scheme": "pmid", "value": "99900009"},
            {"scheme": "pmcid", "value": "PMC99900009"},
        ],
    )
    yield _effect(
        "ldz-ravens-pain",
        "ravens-disease",
        "pain",
        origins=[
            _origin(40, "Says that it helps with Raven's disease."),
            {**_origin(50, "Says it again."), "section": "What else it does"},
        ],
        citations=[
            citation(
                "cit-ravens-pain-larch-2018", "larch-2018", "larch-trial", "mixed", stance_reason="ambiguous_reading"
            ),
            citation(
                "cit-ravens-pain-fir-2011",
                "fir-2011",
                "fir-trial",
                directness="indirect",
                indirect_because=["condition", "outcome"],
            ),
            citation("cit-ravens-pain-elm-2023", "elm-2023", "elm-2023-cohort", "background"),
            citation("cit-ravens-pain-grove-2024", "grove-2024", "grove-review", "not_assessed"),
        ],
    )
    yield _side_effect(
        "ldz-insomnia",
        "insomnia",
        citations=[
            citation(
                "cit-insomnia-larch-2018",
                "larch-2018",
                "larch-trial",
                role="secondary_result",
                estimates=[
                    {
                        "measure": "proportion",
                        "unit": "%",
                        "arms": [
                            {"name": "LDZ", "role": "intervention", "events": 41, "total": 49, "value": 84.0},
                            {"name": "Placebo", "role": "comparator", "events": 43, "total": 50, "value": 86.0},
                        ],
                    }
                ],
            ),
        ],
    )
    yield _side_effect(
        "ldz-headache-onset",
        "headache",
        aspect="onset",
        timepoint="start of treatment",
        statement="Headaches on low-dose zelvane come mostly when it is first taken.",
    )
    yield _side_effect(
        "ldz-morning-intake",
        "insomnia",
        form="usage",
        effect="not_applicable",
        aspect="mitigation",
        wording=None,
        statement="Some people take low-dose zelvane in the morning to sleep better.",
    )
    yield _side_effect("ldz-nausea-occurs", "nausea", status="retired", successor="ldz-nausea")
    yield record(
        "search",
        "ldz-cider",
        question="Can low-dose zelvane be taken with cider?",
        intervention=LOW_DOSE,
        interactants=["cider"],
        topic=None,
    )
    yield record(
        "interaction_rule",
        "pondine-with-cider",
        name="Pondine with cider",
        first=["pondine"],
        second=["cider"],
        severity="caution",
    )


def _side_effect(claim: str, side_effect: str, **fields: Any) -> Change:
    values: Fields = {
        "kind": "safety",
        "statement": f"Low-dose zelvane can cause {side_effect}.",
        "wording": wording("harm", subject="Low-dose zelvane", object=side_effect),
        "effect": "causes",
        "intervention": LOW_DOSE,
        "conditions": [],
        "outcome": "adverse-events",
        "side_effects": [side_effect],
        "aspect": "occurrence",
    }
    return record("claim", claim, **{**values, **fields})
