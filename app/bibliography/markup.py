"""Markup in titles: HTML, MathML and JATS as databases deliver them, read once and written for each format.

In between, a text holds its markup as single characters of the private use area, which no processor takes for text.
"""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

_NAMES = {
    "i": "i", "em": "i", "italic": "i", "b": "b", "strong": "b", "bold": "b", "sup": "sup", "sub": "sub", "inf": "sub",
    "sc": "sc", "small-caps": "sc", "smallcaps": "sc",
}  # fmt: skip
"""Elements that are kept."""
_TRANSPARENT = frozenset((
    "a", "abbr", "abstract", "alternatives", "annotation", "annotation-xml", "article-title", "big", "br", "cite",
    "del", "disp-formula", "div", "ext-link", "fn", "font", "formula", "h1", "h2", "h3", "h4", "h5", "h6",
    "inline-formula", "inline-graphic", "ins", "math", "menclose", "mfenced", "mfrac", "mi", "mmultiscripts", "mn",
    "mo", "monospace", "mover", "mpadded", "mphantom", "mprescripts", "mroot", "mrow", "ms", "mspace", "msqrt",
    "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover", "named-content",
    "overline", "ovl", "p", "q", "roman", "sans-serif", "scp", "sec", "semantics", "small", "span", "strike",
    "styled-content", "subtitle", "tex-math", "title", "tt", "u", "underline", "underscore", "var", "xref",
))  # fmt: skip
"""Elements whose text alone is kept. What is in neither list is no markup but text, such as `<script>`."""
_SILENT = frozenset(("tex-math", "annotation", "annotation-xml"))
"""Elements that say again, for other programs, what stands beside them, if anything does."""
_BLOCKS = frozenset(("p", "div", "h1", "h2", "h3", "h4", "h5", "h6"))
_SPACED = _BLOCKS | {"br", "mspace"}
_MAX_DEPTH = 64
"""Elements within elements; what is opened deeper has no effect."""
_TAG = re.compile(
    r"<(?:/(?P<closing>))?(?:[a-zA-Z_][\w.-]*+:)?(?P<name>[a-zA-Z][a-zA-Z0-9-]*+)"
    r"""(?:\s++[a-zA-Z_][\w:.-]*+\s*+=\s*+(?:"[^"<]*+"|'[^'<]*+'))*+\s*+(?P<empty>/)?>"""
)
"""A well-formed tag in any namespace. `a<b and c>d` is none."""
_NO_TEXT = re.compile(
    r"<!--(?:(?!<!--|-->).)*+-->|<\?[a-zA-Z][^<>?]*+\?>|<!\[CDATA\[(?P<text>(?:(?!<!\[CDATA\[|\]\]>).)*+)\]\]>",
    re.DOTALL,
)
"""Comments, instructions for programs, and the brackets of CDATA."""
_TEX_DOCUMENT = re.compile(
    r"\\begin\{document\}((?:(?!\\begin\{document\}|\\end\{document\}).)*+)\\end\{document\}", re.DOTALL
)
"""A formula that is delivered as a whole TeX document."""
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_MAX_ENCODINGS = 3
"""How often a text may have been escaped: `&amp;lt;` is `<`."""

_KINDS = ("i", "b", "sup", "sub", "sc", "link")
OPENING = {kind: chr(0xE000 + at) for at, kind in enumerate(_KINDS)}
CLOSING = {kind: chr(0xE010 + at) for at, kind in enumerate(_KINDS)}
_CLOSING_OF = {OPENING[kind]: CLOSING[kind] for kind in _KINDS}
MARKS = "[\ue000-\ue01f]*"
"""A regular expression for any markup between two characters."""
_MARKED = {kind: re.compile(f"{OPENING[kind]}([^\ue000-\ue01f]*){CLOSING[kind]}") for kind in _KINDS}
_LINK = re.compile(f"(https?://[^\\s\ue000-\ue01f]*)?{OPENING['link']}([^\ue000-\ue01f]*){CLOSING['link']}")
_ALL_MARKS = re.compile("[\ue000-\ue01f]")
_RAISED = str.maketrans("0123456789+-\u2212=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ")
_LOWERED = str.maketrans("0123456789+-\u2212=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")
_CSL = {kind: (f"<{kind}>", f"</{kind}>") for kind in ("i", "b", "sup", "sub")} | {
    "sc": ('<span style="font-variant:small-caps;">', "</span>")
}


def marked(text: str) -> str:
    """The text with its entities resolved and its markup as single characters; whitespace collapsed."""
    if text.isascii() and "<" not in text and "&" not in text:
        return " ".join(text.split())
    for _ in range(_MAX_ENCODINGS):
        resolved = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
        if resolved == text:
            break
        text = resolved
    text = _NO_TEXT.sub(lambda match: match["text"] or "", _ALL_MARKS.sub("", text))
    return " ".join(_render(_tree(text)).split())


def plain(text: str) -> str:
    """Marked text without markup; raised and lowered numbers as the characters that Unicode has for them."""
    if text.isascii():
        return text
    for kind, table in (("sup", _RAISED), ("sub", _LOWERED)):
        text = _MARKED[kind].sub(lambda match, table=table: _shifted(match[1], table), text)  # type: ignore[misc]
    return _ALL_MARKS.sub("", text)


def as_csl(text: str) -> str:
    """Marked text with the markup that CSL allows in a title."""
    return _with_tags(text, _CSL)


def as_html(text: str, addresses: Mapping[str, str] | None = None) -> str:
    """Marked text as HTML, with everything else escaped. A link that is no address leads to that in `addresses`."""

    def link(match: re.Match[str]) -> str:
        base, target = match.groups()
        href = (addresses or {}).get(html.unescape(target)) if not base else html.unescape(base + target)
        shown = (base or "") + target
        return f'<a href="{html.escape(href or html.unescape(target))}">{shown}</a>'

    return _LINK.sub(link, _with_tags(html.escape(text), _CSL))


def mark(kind: str, text: str) -> str:
    return f"{OPENING[kind]}{text}{CLOSING[kind]}"


# --- reading ------------------------------------------------------------------------------------------------------


class _Element(NamedTuple):
    name: str
    children: list["_Element | str"]


def _tree(text: str) -> Sequence["_Element | str"]:
    root = _Element("", [])
    open_elements = [root]
    end = 0
    for tag in _TAG.finditer(text):
        open_elements[-1].children.append(text[end : tag.start()])
        end = tag.end()
        name = tag["name"].lower()
        if name not in _NAMES and name not in _TRANSPARENT:
            open_elements[-1].children.append(tag[0])
        elif tag["closing"] is None:
            element = _Element(name, [])
            open_elements[-1].children.append(element)
            if not tag["empty"] and name != "br" and len(open_elements) < _MAX_DEPTH:
                open_elements.append(element)
        elif name in (element.name for element in open_elements):
            while open_elements.pop().name != name:
                pass
    open_elements[-1].children.append(text[end:])
    return root.children


def _render(children: Sequence["_Element | str"]) -> str:
    return "".join(child if isinstance(child, str) else _element(child) for child in _audible(children))


def _audible(children: Sequence["_Element | str"]) -> Sequence["_Element | str"]:
    """The children without those that say again what an element beside them says: TeX beside MathML."""
    elements = [child for child in children if not isinstance(child, str)]
    if not any(element.name.startswith("m") and _has_text(element) for element in elements):
        return children
    return [child for child in children if isinstance(child, str) or child.name not in _SILENT]


def _has_text(element: _Element) -> bool:
    return any(child.strip() if isinstance(child, str) else _has_text(child) for child in element.children)


def _element(element: _Element) -> str:
    name = element.name
    if name == "tex-math":
        text = _render(element.children)
        document = _TEX_DOCUMENT.search(text)
        return document[1] if document else text
    if name in _NAMES:
        inner = _render(element.children)
        return mark(_NAMES[name], inner) if inner.strip() else inner
    if name == "math":
        return _math(element)
    return (" " if name in _SPACED else "") + _render(element.children) + (" " if name in _BLOCKS else "")


def _math(element: _Element) -> str:
    """MathML in one line: a fraction with a slash, indices lowered and raised."""
    parts = [
        child.strip() if isinstance(child, str) else _math(child)
        for child in _audible(element.children)
        if not isinstance(child, str) or child.strip()
    ]
    return _MATH.get(element.name, "".join)(parts)


def _script(*kinds: str) -> Callable[[Sequence[str]], str]:
    def write(parts: Sequence[str]) -> str:
        scripts = (mark(kind, part) for kind, part in zip(kinds, parts[1:], strict=False) if part)
        return "".join(parts[:1]) + "".join(scripts)

    return write


_MATH: Mapping[str, Callable[[Sequence[str]], str]] = {
    "msup": _script("sup"),
    "msub": _script("sub"),
    "msubsup": _script("sub", "sup"),
    "mfrac": "/".join,
    "msqrt": lambda parts: f"√{''.join(parts)}",
    "mspace": lambda _: " ",
}


def balanced(text: str) -> str:
    """Marked text without the marks whose counterpart is not there."""
    characters = list(text)
    opened: list[tuple[str, int]] = []
    for at, character in enumerate(text):
        if character in _CLOSING_OF:
            opened.append((_CLOSING_OF[character], at))
        elif character in _CLOSING_OF.values():
            if opened and opened[-1][0] == character:
                opened.pop()
            else:
                characters[at] = ""
    for _, at in opened:
        characters[at] = ""
    return "".join(characters)


# --- writing ------------------------------------------------------------------------------------------------------


def _shifted(text: str, table: dict[int, int]) -> str:
    return text.translate(table) if all(ord(character) in table for character in text) else text


def _with_tags(text: str, tags: Mapping[str, tuple[str, str]]) -> str:
    for kind, (opening, closing) in tags.items():
        text = text.replace(OPENING[kind], opening).replace(CLOSING[kind], closing)
    return text
