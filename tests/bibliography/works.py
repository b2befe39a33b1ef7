"""References that have tripped formatters, and the ones that a data set mostly holds."""

from app.bibliography.reference import Mark, Name, Reference

ARTICLE = Reference(
    id="alder-2013",
    type="article-journal",
    label="Alder 2013",
    title="Low-dose zelvane for the treatment of murmuria",
    authors=(Name("Alder", "Jarred"), Name("Noor", "Noorulain"), Name("McCue", "Rebecca"), Name("Mackey", "Sean")),
    container_title="Arthritis & Rheumatism",
    container_title_short="Arthritis Rheum",
    issued=(2013, 2),
    volume="65",
    issue="2",
    page="529-538",
    url="https://doi.org/10.5555/zelvane.1",
    doi="10.5555/zelvane.1",
    pmid="99900001",
)
GROUP = Reference(
    id="group-2020",
    type="article-journal",
    label="Pain Group 2020",
    title="Lorts & antagonists in Crinkle's disease: 50% of patients",
    authors=(Name(literal="The O'Brien Study Group"), Name("van der Woude", "C. J."), Name("Abu Dabrh", "Abd Moain")),
    container_title="Gut",
    issued=(2020, 5, 3),
    volume="3",
    page="1203-9",
    doi="10.1016/s0140-6736(05)1",
)
NO_AUTHOR = Reference(
    id="label",
    type="webpage",
    label="Zelvane label (DailyMed)",
    publisher="DailyMed",
    url="https://dailymed.nlm.nih.gov/dailymed/lookup.cfm?setid=74087d2f_1",
)
FIRST_AUTHOR_ONLY = Reference(
    id="ludwig-2016",
    type="article-journal",
    label="Ludwig 2016",
    authors=(Name("Ludwig", "M. D."),),
    authors_complete=False,
    issued=(2016,),
    doi="10.1177/2055217316672242",
)
CHAPTER = Reference(
    id="mcdermott-2019",
    type="chapter",
    label="McDermott 2019",
    title="Low-Dose Zelvane Treatment of Hashimoto's Thyroiditis",
    authors=(Name("McDermott", "Michael T"),),
    container_title="Management of Patients with Pseudo-Endocrine Disorders",
    issued=(2019,),
    page="317-326",
    doi="10.5555/978-3-030-22720-3_24",
)
RETRACTED = Reference(
    id="withdrawn-2010",
    type="article-journal",
    label="Withdrawn 2010",
    title="A finding that was withdrawn",
    authors=(Name("Doe", "Jane"),),
    container_title="Journal",
    issued=(2010,),
    doi="10.1000/withdrawn",
    warning=Mark.retracted,
    notice="Retracted 2012-03. Notice: https://doi.org/10.1000/notice.",
)
HOSTILE = Reference(
    id="hostile",
    type="article-journal",
    label="Hostile",
    title="<b>Bold</b> & 5% of $10: <script>alert(1)</script> \"quoted\" 'single' it's p<0.05 a_b #1 ~c^d \\e?",
    authors=(Name("Smith", "A"),),
    container_title="J & K",
    issued=(2020,),
    doi="10.1016/s0140-6736(05)1_2",
    url="https://example.org/a_b?c=%22d%22&e",
)
ALL = (ARTICLE, GROUP, NO_AUTHOR, FIRST_AUTHOR_ONLY, CHAPTER, RETRACTED, HOSTILE)
