"""HTML pages: Jinja2 templates, and the Content-Security-Policy that a page is sent with."""

import base64
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

_APP = Path(__file__).parents[1]


def render_template(name: str, **values: Any) -> str:
    """The page `package/file` from `app/<package>/templates/`. Values are escaped; an undefined name is an error."""
    return _environment().get_template(name).render(values)


def page_style(name: str) -> str:
    """The style sheet `package/file` of the same folders, for a page that holds its own style."""
    package, _, file = name.partition("/")
    return (_APP / package / "templates" / file).read_text(encoding="utf-8")


def content_security_policy(**sources: str) -> str:
    """Allows the given sources (`style_src="'self'"`) and nothing else."""
    directives = {
        "default_src": "'none'",
        "base_uri": "'none'",
        "form_action": "'none'",
        "frame_ancestors": "'none'",
        **sources,
    }
    return "; ".join(f"{directive.replace('_', '-')} {allowed}" for directive, allowed in directives.items())


def style_digest(style: str) -> str:
    """The CSP source that allows exactly this inline style sheet."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"


@lru_cache(maxsize=1)
def _environment() -> "Environment":
    """Made on first use, because most processes never render a page."""
    from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined

    return Environment(
        loader=PrefixLoader({folder.parent.name: FileSystemLoader(folder) for folder in _APP.glob("*/templates")}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
