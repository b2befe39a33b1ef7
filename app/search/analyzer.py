"""Text as the search sees it: folded, cut into words, stemmed. Done here once, so that both engines agree."""

import re
import unicodedata
from functools import lru_cache

import Stemmer

_APOSTROPHES = "'\u2019\u02bc"
_NO_APOSTROPHES = str.maketrans("", "", _APOSTROPHES)
_WORD = re.compile(r"[0-9a-z]+")
WRITTEN = re.compile(rf"([^\W_]+(?:[{_APOSTROPHES}][^\W_]+)*)")
"""A word as it is written; texts split by it alternate between what parts words and words."""
_STEMMER = Stemmer.Stemmer("english")

_STOP = (
    "a about after all also am an and any are as at be been before by can could did do does doe for from get give had "
    "has have how i if in into is it its ive im may me might my no not of on or should so some take that the their "
    "them there they this to too up use used using was we were what when where which while who why will with wont "
    "would you your"
)
STOP_WORDS = frozenset(_STOP.split())
"""Words that questions are made of; they are ignored unless nothing else was asked."""

_SOFT = (
    "allowed bad benefit best better combine combined combining danger dangerous effective evidence ever failed feel "
    "good happen happens harmful help helps helped hospital instead last make makes makers making many medication "
    "medications medicine medicines mix mixing much ok okay over patch patient patients people person pill pills "
    "please possible recommended research result results risk risks risky safe safely safety same starting studies "
    "study suddenly symptoms tablet tablets taken taking together treat treating treatment trying want work working "
    "works worth"
)
SOFT_WORDS = frozenset(_SOFT.split())
"""Words that say what kind of answer is wanted: a record that has them comes earlier, one without them still counts."""

_SAME = (
    ("allergic", "allergy", "hypersensitive"),
    ("breastfeeding", "breast feeding", "nursing", "lactation"),
    ("children", "child", "kids", "pediatric", "paediatric"),
    ("discontinue", "discontinuation", "stop", "stopping", "quit"),
    ("doctor", "healthcare provider", "physician"),
    ("dose", "dosage"),
    ("drink", "alcohol"),
    ("heart", "cardiac"),
    ("kidney", "renal"),
    ("liver", "hepatic"),
    ("maximum", "max", "highest"),
    ("nightmare", "vivid dreams"),
    ("onset", "kick in"),
    ("prescribe", "prescription", "prescriber"),
    ("surgery", "operation", "anesthesia", "anaesthesia"),
    ("titrate", "titration", "increase the dose"),
    ("trial", "rct"),
)
"""What people say, and what records say; the names of concepts come from the records themselves."""

_OPIOIDS = (
    "actiq alfentanil butorphanol carfentanil codeine demerol diamorphine dihydrocodeine dilaudid duragesic fentanyl "
    "heroin hydrocodone hydromorphone kratom levorphanol lortab meperidine morphine nalbuphine narcotic norco nucynta "
    "opiate opana opium oxycodone oxycontin oxymorphone painkiller pentazocine percocet pethidine remifentanil "
    "roxicodone sufentanil tapentadol vicodin"
)
_MEANT: dict[tuple[str, ...], tuple[str, ...]] = {
    **dict.fromkeys(((word,) for word in _OPIOIDS.split()), ("opioid",)),
    ("codeine",): ("opioid", "opioid cough medicine"),
    ("pain", "pills"): ("opioid",),
    ("pain", "killers"): ("opioid",),
    ("pain", "medication"): ("opioid",),
    ("pain", "meds"): ("opioid",),
    ("imodium",): ("opioid antidiarrheal",),
    ("loperamide",): ("opioid antidiarrheal",),
    ("lomotil",): ("opioid antidiarrheal",),
    ("humira",): ("biologics",),
    ("enbrel",): ("biologics",),
    ("remicade",): ("biologics",),
    ("xarelto",): ("anticoagulants",),
    ("eliquis",): ("anticoagulants",),
    ("coumadin",): ("anticoagulants",),
    ("beer",): ("alcohol",),
    ("wine",): ("alcohol",),
    ("cirrhosis",): ("liver disease",),
    ("hepatitis",): ("liver disease", "liver injury"),
    ("pregnant",): ("pregnancy",),
    ("suicidal",): ("suicide", "suicidality"),
    ("damage",): ("injury", "harm"),
    ("failure",): ("disease",),
    ("suddenly",): ("at once",),
}
"""What is meant by what people say, one way only: whoever asks about opioids does not ask about codeine."""

_DANGERS = (
    "opioid tramadol methadone buprenorphine suboxone alcohol anesthesia anaesthesia allergic allergy breastfeeding "
    "breathing cirrhosis contraindication "
    "contraindicated danger dangerous drink driving hepatitis hospital hypersensitive kidney liver nursing operation "
    "overdose pregnancy pregnant renal stop stopping suicidal suicide surgery withdrawal"
)


def fold(text: str) -> str:
    """Lower case without accents; apostrophes vanish, so that `Crohn's` and `crohns` are one word."""
    if text.isascii():
        return text.replace("'", "").lower()
    decomposed = unicodedata.normalize("NFKD", text.translate(_NO_APOSTROPHES))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def words(text: str) -> list[str]:
    """The folded words of a text, in order; codes and compounds fall apart at their punctuation."""
    return _WORD.findall(fold(text))


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """What a word has in common with its other forms; short words and those with digits stay whole."""
    if len(word) < 4 or not word.isalpha():
        return word
    return str(_STEMMER.stemWord(word))


def stems(text: str) -> list[str]:
    return [stem(word) for word in words(text)]


def spelled(text: str) -> list[tuple[str, bool]]:
    """A text in parts, in order: `(part, is_word)`; the parts joined give the text again."""
    return [(part, place % 2 == 1) for place, part in enumerate(WRITTEN.split(text)) if part]


Row = tuple[str, ...]
"""Words or stems that stand one after the other."""

SAME: dict[str, tuple[Row, ...]] = {
    stem(word): tuple(tuple(stems(other)) for other in group if stem(other) != stem(word))
    for group in _SAME
    for word in group
    if " " not in word
}
"""Stem → other ways to say the same."""

MEANT: dict[Row, tuple[Row, ...]] = {
    tuple(stem(word) for word in row): tuple(tuple(stems(other)) for other in others) for row, others in _MEANT.items()
}
"""Stems in a row → what is meant by them."""

DANGERS = frozenset(stem(word) for word in _DANGERS.split())
"""Stems of words that somebody uses who may be at risk."""
