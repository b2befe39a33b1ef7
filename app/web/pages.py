"""What all pages share: one layout, one policy, and an answer that caches keep.

A page is a template that extends `web/page.html`. Addresses in templates are path-absolute. Pages hold no style
attribute and no script of their own, because the policy allows files of this server alone.
"""

from typing import Any

from fastapi import Request, Response

from app.api.meta import SOFTWARE_VERSION
from app.concepts.manifest import current_manifest
from app.core.english import quantity
from app.core.templates import content_security_policy, render_template
from app.grading.wording import NO_ALL_CLEAR, claimed_text, counted_text
from app.http import conditional
from app.http.conditional import conditional_response
from app.sources import identifiers
from app.sources.identifiers import doi_address
from app.sources.queries import RETRACTED_REPORT
from app.sources.vocabulary import IdentifierScheme, Standing
from app.storage.read_view import ReadView
from app.web.figures import estimate_text

CONTENT_SECURITY_POLICY = content_security_policy(
    script_src="'self'",
    style_src="'self'",
    img_src="'self' data:",
    connect_src="'self'",
    manifest_src="'self'",
    form_action="'self'",
)
HTML = "text/html"
API = "/v1"
MARKED_STANDINGS = frozenset(
    {Standing.retracted, Standing.expression_of_concern, Standing.corrected, Standing.superseded}
)
"""What a reader must know of a document wherever it is named."""
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Of every page."""


def page_response(
    request: Request,
    view: ReadView,
    template: str,
    *,
    policy: str = CONTENT_SECURITY_POLICY,
    **values: Any,
) -> Response:
    """The page as a response with its ETag and policy; 304 if the client has it."""
    body = render_page(view, template, **values)
    return conditional_response(
        request, conditional.etag(body), body, media_type=HTML, headers=HEADERS | {"Content-Security-Policy": policy}
    )


def render_page(view: ReadView, template: str, **values: Any) -> bytes:
    """The page alone.

    Besides `values` a template has `manifest` (what the data set says of itself), `serial` and `release` of the data
    set, the version of the `software`, the words of `no_all_clear` and `retracted_report`, and the functions that word
    what stands beside an answer. Macros that use them are imported `with context`. Every page gives `title` and
    `description`, and `json_address` where the API has the same as data.
    """
    shared = {
        "manifest": current_manifest(view.session),
        "serial": view.serial,
        "release": view.release,
        "software": SOFTWARE_VERSION,
        "json_address": None,
        "no_all_clear": NO_ALL_CLEAR,
        "retracted_report": RETRACTED_REPORT,
        "counted_text": counted_text,
        "claimed_text": claimed_text,
        "estimate_text": estimate_text,
        "quantity": quantity,
        "marked_standings": MARKED_STANDINGS,
        "doi_address": doi_address,
        "pubmed_address": _pubmed_address,
    }
    return render_template(template, **shared | values).encode()


def _pubmed_address(pmid: str) -> str:
    return f"{identifiers.address(IdentifierScheme.pmid, pmid)}/"


def page_address(api_address: str) -> str:
    """The page of what the API has at an address."""
    return api_address.removeprefix(API)
