"""Flesch-Kincaid grade of the text of a part of a page.

An item of a list, a heading or a paragraph ends a sentence, as it does for a reader. Names can be left out, since
nobody can say them in shorter words.
"""

import re
from collections.abc import Iterable
from html.parser import HTMLParser

BLOCKS = frozenset({"p", "li", "h1", "h2", "h3", "h4", "ul", "ol", "section", "div", "span"})
"""Elements that end a sentence; spans, because badges, counts and caveats are spans that stand apart."""
VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "wbr"})
_WORD = re.compile(r"[A-Za-z]+(?:['\u2019-][A-Za-z]+)*")
_VOWELS = re.compile(r"[aeiouy]+")
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|\n")


class _PartText(HTMLParser):
    def __init__(self, css_class: str) -> None:
        super().__init__()
        self.css_class = css_class
        self.depth = 0
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = (dict(attrs).get("class") or "").split()
        if tag not in VOID and (self.depth or self.css_class in classes):
            self.depth += 1
        if self.depth and tag in BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self.depth and tag in BLOCKS:
            self.parts.append("\n")
        if self.depth:
            self.depth -= 1

    def handle_data(self, data: str) -> None:
        if self.depth:
            self.parts.append(data.replace("\n", " "))


def text_of(html: str, css_class: str) -> str:
    """The text of the elements with the class; a line for each block."""
    parser = _PartText(css_class)
    parser.feed(html)
    lines = (" ".join(line.split()) for line in "".join(parser.parts).split("\n"))
    return "\n".join(line for line in lines if line)


def syllables(word: str) -> int:
    """By groups of vowels; a silent e at the end is none, but the le of `little` is one."""
    word = re.sub(r"[^a-z]", "", word.lower())
    count = len(_VOWELS.findall(word))
    if word.endswith("e") and not word.endswith(("le", "ee", "ye")) and count > 1:
        count -= 1
    if word.endswith("ed") and not word.endswith(("ted", "ded")) and count > 1:
        count -= 1
    return max(count, 1)


def grade(text: str, names: Iterable[str] = ()) -> float:
    """The Flesch-Kincaid grade; 0.39 words per sentence + 11.8 syllables per word - 15.59."""
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(rf"\b{re.escape(name)}\b", " it ", text, flags=re.IGNORECASE)
    sentences = [words for part in _SENTENCE_END.split(text) if (words := _WORD.findall(part))]
    words = [word for sentence in sentences for word in sentence]
    if not words:
        return 0.0
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
