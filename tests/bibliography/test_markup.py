"""Titles with HTML, MathML, JATS and entities, as plain text, CSL and HTML."""
# ruff: noqa: E501, RUF001

import pytest

from app.bibliography import markup

MATH = '<mml:math xmlns:mml="http://www.w3.org/1998/Math/MathML"> <mml:msup><mml:mi>x</mml:mi><mml:mn>2</mml:mn></mml:msup> </mml:math>'
TITLES = [
    # as delivered, plain, CSL, HTML
    ("A <i>gene</i> &amp; more", "A gene & more", "A <i>gene</i> & more", "A <i>gene</i> &amp; more"),
    ("<jats:italic>TNF</jats:italic>-&alpha;", "TNF-α", "<i>TNF</i>-α", "<i>TNF</i>-α"),
    ("&lt;em&gt;In vivo&lt;/em&gt;", "In vivo", "<i>In vivo</i>", "<i>In vivo</i>"),
    ("p&amp;lt;0.05", "p<0.05", "p<0.05", "p&lt;0.05"),
    ("p<0.05 and x>3", "p<0.05 and x>3", "p<0.05 and x>3", "p&lt;0.05 and x&gt;3"),
    ("10<sup>9</sup> of H<sub>2</sub>O", "10⁹ of H₂O", "10<sup>9</sup> of H<sub>2</sub>O", "10<sup>9</sup> of H<sub>2</sub>O"),
    ("The 4<sup>th</sup>", "The 4th", "The 4<sup>th</sup>", "The 4<sup>th</sup>"),
    (f"{MATH} tests", "x² tests", "x<sup>2</sup> tests", "x<sup>2</sup> tests"),
    ("<mfrac><mn>1</mn><mn>2</mn></mfrac>", "12", "12", "12"),
    ("<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>", "1/2", "1/2", "1/2"),
    (
        "<inline-formula><alternatives><tex-math>\\beta</tex-math><mml:math><mml:mi>β</mml:mi></mml:math></alternatives>"
        "</inline-formula>-endorphin",
        "β-endorphin", "β-endorphin", "β-endorphin",
    ),
    ("<script>alert(1)</script>", "<script>alert(1)</script>", "<script>alert(1)</script>",
     "&lt;script&gt;alert(1)&lt;/script&gt;"),
    ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>",
     "&lt;img src=x onerror=alert(1)&gt;"),
    ('<i onclick="alert(1)">a</i>', "a", "<i>a</i>", "<i>a</i>"),
    ("<i>never closed", "never closed", "<i>never closed</i>", "<i>never closed</i>"),
    ("never opened</i>", "never opened", "never opened", "never opened"),
    ("<i><b>crossed</i></b>", "crossed", "<i><b>crossed</b></i>", "<i><b>crossed</b></i>"),
    ("A<br/>B&nbsp;C", "A B C", "A B C", "A B C"),
    ("R&D at AT&T", "R&D at AT&T", "R&D at AT&T", "R&amp;D at AT&amp;T"),
    ("a<b and c>d", "a<b and c>d", "a<b and c>d", "a&lt;b and c&gt;d"),
    ("if x<i or y>p and 1<sub 2>", "if x<i or y>p and 1<sub 2>", "if x<i or y>p and 1<sub 2>",
     "if x&lt;i or y&gt;p and 1&lt;sub 2&gt;"),
    ("a<b c=d>e", "a<b c=d>e", "a<b c=d>e", "a&lt;b c=d&gt;e"),
    ('<ns0:i xml:lang="la">In vivo</ns0:i>', "In vivo", "<i>In vivo</i>", "<i>In vivo</i>"),
    ("<x-y:sup\n  id='a>b' >2</x-y:sup>", "²", "<sup>2</sup>", "<sup>2</sup>"),
    ("CO<inf>2</inf>", "CO₂", "CO<sub>2</sub>", "CO<sub>2</sub>"),
    *((f"a <{name}>b</{name}> c", "a b c", "a b c", "a b c")
      for name in ("ovl", "q", "cite", "big", "del", "h1", "h6", "fn", "jats:p")),
    ('a<inline-graphic xlink:href="x.gif"/>b', "ab", "ab", "ab"),
    ("a<!-- b <i>c</i> -->d", "ad", "ad", "ad"),
    ("a <!-- b", "a <!-- b", "a <!-- b", "a &lt;!-- b"),
    ("<![CDATA[A <i>b</i> & c]]>", "A b & c", "A <i>b</i> & c", "A <i>b</i> &amp; c"),
    ("<inline-formula><tex-math>$x^2$</tex-math></inline-formula> law", "$x^2$ law", "$x^2$ law", "$x^2$ law"),
    ("<tex-math>$y$</tex-math> in <i>x</i>", "$y$ in x", "$y$ in <i>x</i>", "$y$ in <i>x</i>"),
    ("<tex-math>\\usepackage{amsmath} \\begin{document}$$y$$\\end{document}</tex-math>", "$$y$$", "$$y$$", "$$y$$"),
    ("<math><semantics><mi>x</mi><annotation>\\x</annotation></semantics></math>", "x", "x", "x"),
    ("<math><semantics><annotation>y</annotation></semantics></math>", "y", "y", "y"),
    ("a\ue000b", "ab", "ab", "ab"),
]  # fmt: skip


@pytest.mark.parametrize(("delivered", "plain", "csl", "html"), TITLES)
def test_titles_are_read_as_they_are_meant(delivered: str, plain: str, csl: str, html: str) -> None:
    marked = markup.marked(delivered)
    assert (markup.plain(marked), markup.as_csl(marked), markup.as_html(marked)) == (plain, csl, html)


def test_elements_within_elements_have_an_end() -> None:
    assert markup.plain(markup.marked("<i>" * 3000 + "deep" + "</i>" * 3000)) == "deep"
    nested = "<math><semantics>" * 30 + "<mi>x</mi>" + "<annotation>y</annotation></semantics></math>" * 30
    assert markup.plain(markup.marked(nested)) == "x"


@pytest.mark.parametrize("unit", ["<!--", "<![CDATA[", "<i a='", '<i a="b" ', "<?a", "\\begin{document}", "<i a"])
def test_a_title_that_only_begins_markup_is_text(unit: str) -> None:
    text = unit * (20_000 // len(unit))
    assert markup.plain(markup.marked(text)) == text.strip()
