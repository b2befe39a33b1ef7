"""Plots as the server draws them: lines, boxes, dots and words in SVG, each with the table of what it shows.

A plot is 340 units wide. At a window of 320 pixels its smallest words are 11 pixels high. Colours come from the classes
of `pages.css`, because the policy of pages allows no style attribute. The macro `figure` in `web/plots.html` draws a
plot and its table.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

WIDTH = 340
LEFT, RIGHT = 14, 326
"""Where the scale begins and ends."""
LINE_HEIGHT = 18
CHARACTER_WIDTH = 8.4
"""Of most characters, at the size of words in a plot, in a wide and bold typeface."""
MAX_CHARACTERS = 39
"""In one line of a label."""
MAX_LABEL_LINES = 3


class SvgElement(NamedTuple):
    """One element of SVG."""

    tag: Literal["line", "rect", "circle", "text"]
    css_class: str
    attributes: tuple[tuple[str, str], ...]
    text: str = ""


class Cell(NamedTuple):
    """One cell of a table; `address` leads to the record that it names."""

    text: str
    address: str | None = None


@dataclass(frozen=True)
class PlotTable:
    """What a plot shows, in words and figures. The first cell of a row names the row."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Plot:
    """A drawing with its title, its description for those who do not see it, and its table."""

    kind: Literal["forest", "directions", "doses"]
    title: str
    description: str
    height: int
    shapes: tuple[SvgElement, ...]
    table: PlotTable
    notes: tuple[str, ...] = ()
    """What a reader must know to read the plot, one sentence each."""


@dataclass
class Canvas:
    """Collects the shapes of a plot from the top to the bottom."""

    y: float = 0
    shapes: list[SvgElement] = field(default_factory=list)

    def line(self, css_class: str, start: tuple[float, float], end: tuple[float, float]) -> None:
        self._add("line", css_class, x1=start[0], y1=start[1], x2=end[0], y2=end[1])

    def line_below(self, css_class: str, start: tuple[float, float], end: tuple[float, float]) -> None:
        """A line that everything drawn so far lies upon."""
        self.line(css_class, start, end)
        self.shapes.insert(0, self.shapes.pop())

    def box(self, css_class: str, left: float, top: float, size: tuple[float, float]) -> None:
        self._add("rect", css_class, x=left, y=top, width=max(size[0], 1), height=size[1])

    def dot(self, css_class: str, x: float, y: float, radius: float) -> None:
        self._add("circle", css_class, cx=x, cy=y, r=radius)

    def square(self, css_class: str, x: float, y: float, half: float) -> None:
        self.box(css_class, x - half, y - half, (2 * half, 2 * half))

    def words(self, css_class: str, x: float, y: float, text: str, anchor: str = "start") -> None:
        self._add("text", css_class, text, x=x, y=y, **{"text-anchor": anchor})

    def label(self, css_class: str, text: str) -> None:
        """Words over the whole width at the current height, in as many lines as they need."""
        for line in wrapped(text):
            self.y += LINE_HEIGHT
            self.words(css_class, 0, self.y, line)

    def _add(self, tag: Any, css_class: str, text: str = "", /, **attributes: float | str) -> None:
        written = tuple((name, _written(value)) for name, value in attributes.items())
        self.shapes.append(SvgElement(tag, css_class, written, text))


def _written(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")


def wrapped(text: str, width: int = MAX_CHARACTERS) -> list[str]:
    """The words in lines that fit into a plot; what does not fit into three lines is left to the table."""
    return textwrap.wrap(text, width, max_lines=MAX_LABEL_LINES, placeholder=" …") or [""]


def plot_of(
    kind: Literal["forest", "directions", "doses"],
    canvas: Canvas,
    words: tuple[str, str],
    table: PlotTable,
    notes: Sequence[str] = (),
) -> Plot:
    """What a canvas holds, with title and description."""
    return Plot(kind, words[0], words[1], round(canvas.y + 8), tuple(canvas.shapes), table, tuple(notes))
