import pytest
from jinja2 import UndefinedError

from app.core.templates import content_security_policy, render_template, style_digest


def test_values_are_escaped() -> None:
    claim = {
        "answer": "<b>",
        "counts": None,
        "claimed": None,
        "caveat": "a & b",
        "inheritance": None,
        "verdict": '"',
        "tone": "mixed",
        "supporting": "1",
        "disputing": "0",
    }

    page = render_template("infobutton/claim.html", claim=claim)

    assert '<p class="text">&lt;b&gt;</p>' in page
    assert '<p class="caveat">a &amp; b</p>' in page
    assert '<p class="verdict">&#34;. ' in page


def test_undefined_name_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render_template("infobutton/claim.html", claim={"answer": "only this"})


def test_policy_allows_what_it_names_and_nothing_else() -> None:
    policy = content_security_policy(style_src=style_digest("p{}"))

    assert policy == (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "style-src 'sha256-gG2yISYereRMiG2lMXrbiUgi0Ubw9p7QCeWcroOvy9Y='"
    )
