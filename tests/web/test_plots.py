"""Plots: what is drawn is what the records report, and it can be read without seeing it, and on a small screen."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.api.common import ListOf
from app.claims.catalogue_responses import DosingRangeRead, StudyWithEvidence
from app.claims.responses import EstimateRead
from app.concepts.manifest_doses import DoseTiers
from app.concepts.units import SHIPPED_UNITS
from app.core.templates import render_template
from app.grading.trace import EvidenceTrace, ForestRow
from app.web.plots import CHARACTER_WIDTH, WIDTH, Plot
from app.web.plots_directions import direction_plot
from app.web.plots_doses import OF_STUDIES, RECORDED, dose_plot, spans_of_ranges, spans_of_studies
from app.web.plots_forest import ComparedSides, forest_plots
from tests import neutral
from tests.conftest import Engine, opened, serving
from tests.factories import amended, citation, content, put, record

PAIN, HEADACHE = neutral.CONTESTED, "ldz-headache"
SIDES = ComparedSides("Low-dose zelvane", "placebo")


BETWEEN = {"outcome": "pain", "comparison": "between_groups", "favours": "intervention"}
SCORE = BETWEEN | {"measure": "mean_difference", "unit": "{score}", "scale": "numeric rating scale, 0-10"}
POOLED = BETWEEN | {"measure": "standardized_mean_difference", "pooled": True}
ESTIMATES = {
    "cit-murmuria-pain-birch-2024": [
        SCORE | {"primary": True, "value": -0.34, "ci_low": -0.95, "ci_high": 0.27, "ci_level": 95},
        BETWEEN | {"measure": "standardized_mean_difference", "value": 0.23},
    ],
    "cit-murmuria-pain-cedar-2025": [
        SCORE | {"primary": True, "value": 0.49, "favours": "comparator"},
        BETWEEN | {"measure": "standardized_mean_difference", "value": 0.19, "favours": "comparator"},
    ],
    "cit-murmuria-pain-grove-2024": [POOLED | {"primary": True, "value": -0.34, "ci_low": -0.62, "ci_high": -0.06}],
}
"""What the trials and the review of the contested claim report."""
OTHER_REVIEW = POOLED | {"primary": True, "value": -0.61, "ci_low": -1.14, "ci_high": -0.08}
ODDS = {"outcome": "adverse-events", "measure": "odds_ratio", "value": 0.9, "ci_low": 0.4, "ci_high": 2.1}


@pytest.fixture(scope="module")
def client(engine: Engine) -> Iterator[TestClient]:
    """A server of the neutral data set with more reported of its contested claim and of a harm."""
    url = engine.copy("plots")
    with opened(url) as database:
        pain, headache = content(database, "claim", PAIN), content(database, "claim", HEADACHE)
        citations = pain.content.model_dump(mode="json")["citations"]
        for one in citations:
            one["estimates"] = ESTIMATES.get(one["id"], one["estimates"])
        other = citation("cit-other", "other-paper", "other-review", role="review_synthesis", estimates=[OTHER_REVIEW])
        harm = headache.content.model_dump(mode="json")["citations"]
        harm[0]["estimates"] = [ODDS | {"comparison": "between_groups"}]
        put(
            database,
            record("study", "other-review", design="meta_analysis", conditions=[neutral.CONDITION]),
            record("document", "other-paper", studies=[{"study": "other-review", "role": "review"}]),
            amended(pain, citations=[*citations, other]),
            amended(headache, citations=harm),
        )
    with serving(url) as client:
        yield client
    engine.drop(url)


@pytest.fixture(scope="module")
def tiers() -> DoseTiers:
    return DoseTiers.model_validate(neutral.MANIFEST["dose_tiers"][0])


def trace_of(client: TestClient, claim: str, **what_if: Any) -> EvidenceTrace:
    answer = client.get(f"/v1/claims/{claim}/evidence", params=what_if)
    assert answer.status_code == 200, answer.text
    return EvidenceTrace.model_validate_json(answer.content)


def drawn(plot: Plot) -> ET.Element:
    html = render_template("web/plot.html", plot=plot, key="p")
    svg = html[html.index("<svg") : html.index("</svg>") + len("</svg>")]
    return ET.fromstring(svg)  # noqa: S314 - our own page


def shapes(svg: ET.Element, tag: str, css_class: str) -> list[ET.Element]:
    return [shape for shape in svg.iter(tag) if css_class in shape.get("class", "").split()]


def words_of(plot: Plot) -> list[str]:
    return [shape.text for shape in plot.shapes if shape.tag == "text"]


@pytest.fixture(scope="module")
def claims(client: TestClient) -> list[str]:
    """Every claim of the data set."""
    ids: list[str] = []
    address = "/v1/claims?citations=top&limit=200"
    while address:
        page = client.get(address).json()
        ids += [item["id"] for item in page["items"]]
        address = page["next"]
    return ids


def every_plot(client: TestClient, claims: list[str], tiers: DoseTiers) -> list[Plot]:
    plots: list[Plot] = []
    for claim in claims:
        trace = trace_of(client, claim)
        plots += forest_plots(trace.forest, SIDES)
        if plot := direction_plot(trace.forest, trace.units):
            plots.append(plot)
    if plot := doses_plot(client, tiers):
        plots.append(plot)
    return plots


def doses_plot(client: TestClient, tiers: DoseTiers) -> Plot | None:
    ranges = ListOf[DosingRangeRead].model_validate_json(client.get("/v1/dosing-ranges?limit=200").content).items
    studies = ListOf[StudyWithEvidence].model_validate_json(client.get("/v1/studies?limit=200").content).items
    return dose_plot(
        spans_of_ranges(ranges, SHIPPED_UNITS) + spans_of_studies(studies, SHIPPED_UNITS), "Doses", tiers, SHIPPED_UNITS
    )


# --- every plot ---------------------------------------------------------------------------------------------------


def test_every_plot_of_the_data_set_fits_and_says_what_it_shows(
    client: TestClient, claims: list[str], tiers: DoseTiers
) -> None:
    plots = every_plot(client, claims, tiers)
    assert {plot.kind for plot in plots} == {"forest", "directions", "doses"}
    for plot in plots:
        svg = drawn(plot)
        assert svg.get("role") == "img"
        assert svg.get("viewBox") == f"0 0 {WIDTH} {plot.height}"
        ids = [part.get("id") for part in (svg.find("title"), svg.find("desc")) if part is not None and part.text]
        assert svg.get("aria-labelledby") == " ".join(str(i) for i in ids) == "p-title p-desc"
        assert not [shape for shape in svg.iter() if "style" in shape.attrib]
        assert plot.table.rows
        assert {len(row) for row in plot.table.rows} == {len(plot.table.head)}
        for text in svg.iter("text"):
            left, right = reach(text)
            assert left >= -8, (plot.title, text.text)
            assert right <= WIDTH + 8, (plot.title, text.text)
            assert float(text.get("y", "")) <= plot.height
        for circle in svg.iter("circle"):
            assert float(circle.get("cx", "")) - float(circle.get("r", "")) >= 0
            assert float(circle.get("cx", "")) + float(circle.get("r", "")) <= WIDTH


def reach(text: ET.Element) -> tuple[float, float]:
    x, width = float(text.get("x", "")), len(text.text or "") * CHARACTER_WIDTH
    before = {"start": 0.0, "middle": width / 2, "end": width}[text.get("text-anchor", "start")]
    return x - before, x - before + width


def test_what_records_say_is_escaped(client: TestClient) -> None:
    trace = trace_of(client, PAIN)
    rows = [
        row.model_copy(update={"document": row.document.model_copy(update={"label": "<script>A&B</script>"})})
        for row in trace.forest
    ]
    plot = direction_plot(rows, trace.units)
    assert plot is not None
    html = render_template("web/plot.html", plot=plot, key="p")
    assert "<script" not in html
    assert "&lt;script&gt;A&amp;B" in html


# --- forest -------------------------------------------------------------------------------------------------------


def changed(row: ForestRow, **update: Any) -> ForestRow:
    estimates = tuple(EstimateRead.model_validate(e.model_dump() | update) for e in row.estimates)
    return row.model_copy(update={"estimates": estimates})


def pooled_rows(client: TestClient) -> list[ForestRow]:
    """Two reviews with a standardized difference each, and nothing else."""
    rows = [
        row.model_copy(update={"estimates": tuple(e for e in row.estimates if is_standardized(e))})
        for row in trace_of(client, PAIN).forest
    ]
    return [row for row in rows if row.estimates][:2]


def is_standardized(estimate: EstimateRead) -> bool:
    return (estimate.measure, estimate.comparison, estimate.ci_low is None) == (
        "standardized_mean_difference",
        "between_groups",
        False,
    )


@pytest.mark.parametrize(
    "update",
    [
        {"measure": "mean_change"},
        {"measure": "mean_difference", "unit": "mm"},
        {"outcome": None},
        {"comparison": "within_group"},
    ],
)
def test_a_forest_plot_holds_estimates_of_one_measure_outcome_and_comparison(
    client: TestClient, update: dict[str, Any]
) -> None:
    first, second = pooled_rows(client)
    assert len(forest_plots([first, second], SIDES)) == 1
    plots = forest_plots([first, changed(second, **update)], SIDES)
    labels = [{row[0].text.partition(",")[0] for row in plot.table.rows} for plot in plots]
    assert sorted(labels, key=str) == sorted([{first.document.label}, {second.document.label}], key=str)


def test_differences_on_two_scales_never_share_a_plot(client: TestClient) -> None:
    first, second = (changed(row, measure="mean_difference", unit="{score}") for row in pooled_rows(client))
    plots = forest_plots([changed(first, scale="0-10"), changed(second, scale="0-100")], SIDES)
    assert len(plots) == 2


def test_a_ratio_below_zero_is_named_and_not_drawn(client: TestClient) -> None:
    assert forest_plots([changed(row, measure="risk_ratio") for row in pooled_rows(client)], SIDES) == ()


def test_an_estimate_whose_sign_means_the_opposite_is_named_and_not_drawn(client: TestClient) -> None:
    rows = pooled_rows(client)
    (straight,) = forest_plots(rows, SIDES)
    first, second = rows
    turned = changed(second, favours="comparator")
    (plot,) = forest_plots([*(3 * [first]), turned], SIDES)
    assert second.document.label not in " ".join(straight.notes)
    assert f"no clear sign was reported: {second.document.label}." in " ".join(plot.notes)
    assert second.document.label not in " ".join(words_of(plot))
    assert second.document.label in str(plot.table)


def test_standardized_differences_of_reviews_share_a_plot_and_are_marked(client: TestClient) -> None:
    plots = forest_plots(trace_of(client, PAIN).forest, SIDES)
    (plot,) = [p for p in plots if "standardized" in p.title.lower() and "before" not in p.title]
    svg = drawn(plot)

    assert len(shapes(svg, "rect", "review")) == 2
    assert not shapes(svg, "circle", "mark")
    assert "Reviews may contain the same studies" in " ".join(plot.notes)
    assert "nothing is pooled here" in " ".join(plot.notes)
    assert any("\N{MINUS SIGN}0.34 (CI \N{MINUS SIGN}0.62 to \N{MINUS SIGN}0.06)" in words for words in words_of(plot))
    unread = "Not drawn, because no interval or no clear sign was reported: Birch 2024 and Cedar 2025."
    assert unread in " ".join(plot.notes)
    assert len(plot.table.rows) == 4
    assert words_of(plot)[0] == "\N{LEFTWARDS ARROW} Favours low-dose zelvane"


def test_an_interval_lies_around_its_estimate_and_the_trial_is_a_dot(client: TestClient) -> None:
    plots = forest_plots(trace_of(client, PAIN).forest, SIDES)
    (plot,) = [p for p in plots if "numeric rating scale" in p.table.caption]
    svg = drawn(plot)
    zero = float(shapes(svg, "line", "zero")[0].get("x1", ""))
    (dot,) = shapes(svg, "circle", "mark")[:1]
    ends = [float(line.get(x, "")) for line in shapes(svg, "line", "interval") for x in ("x1", "x2")]

    assert min(ends) < float(dot.get("cx", "")) < zero < max(ends)


def test_a_ratio_has_no_effect_at_one_on_a_logarithmic_scale(client: TestClient) -> None:
    (plot,) = forest_plots(trace_of(client, HEADACHE).forest, SIDES)
    svg = drawn(plot)
    places = {text.text: float(text.get("x", "")) for text in shapes(svg, "text", "tick")}

    assert "No effect is at 1" in plot.description
    assert float(shapes(svg, "line", "zero")[0].get("x1", "")) == pytest.approx(places["1"], abs=0.1)
    assert places["1"] - places["0.5"] == pytest.approx(places["2"] - places["1"], abs=0.2)


def test_what_is_not_reported_is_said_to_be(client: TestClient) -> None:
    (plot,) = forest_plots(trace_of(client, HEADACHE).forest, SIDES)
    cells = {cell.text for row in plot.table.rows for cell in row}
    assert "not reported" in cells
    assert "None" not in cells


# --- directions ---------------------------------------------------------------------------------------------------


def test_directions_stand_on_the_side_of_their_stance_and_people_make_the_area(client: TestClient) -> None:
    trace = trace_of(client, PAIN)
    plot = direction_plot(trace.forest, trace.units)
    assert plot is not None
    svg = drawn(plot)
    against = {float(c.get("cx", "")) for c in shapes(svg, "circle", "disputes")}
    for_it = {float(c.get("cx", "")) for c in shapes(svg, "circle", "supports")}
    assert len(against) == len(for_it) == 1
    assert min(against) < min(for_it)

    radii = sorted(float(c.get("r", "")) for c in shapes(svg, "circle", "disputes"))
    people = sorted(u.participants or 0 for u in trace.units if u.stance == "disputes")
    assert (radii[0] / radii[-1]) ** 2 == pytest.approx(people[0] / people[-1], rel=0.05)


def test_a_study_has_one_row_however_many_citations_report_it(client: TestClient, claims: list[str]) -> None:
    for claim in claims:
        trace = trace_of(client, claim)
        plot = direction_plot(trace.forest, trace.units)
        if plot is None:
            assert all(row.stance in ("background", "not_assessed") for row in trace.forest)
            continue
        addresses = [row[0].address for row in plot.table.rows]
        assert len(addresses) == len(set(addresses))
        voting = {f"/studies/{unit.study}" for unit in trace.units if not unit.is_reviews and unit.stance == "supports"}
        assert voting <= set(addresses)


# --- doses --------------------------------------------------------------------------------------------------------


def test_doses_lie_on_one_scale_with_bands_and_the_doses_of_studies(client: TestClient, tiers: DoseTiers) -> None:
    plot = doses_plot(client, tiers)
    assert plot is not None
    svg = drawn(plot)
    assert {row[1].text for row in plot.table.rows} == {RECORDED, OF_STUDIES}
    assert len(shapes(svg, "rect", "band")) >= 3
    assert "None of these doses is advice." in plot.notes
    assert any("4.5 mg a day" in words for words in words_of(plot))
    per_weight = [row for row in plot.table.rows if row[3].text == "daily total not reported"]
    assert all(row[0].address for row in per_weight)
