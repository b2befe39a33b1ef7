"""Makes sentences and clauses from the phrases of a claim (`ClaimWording`), as firmly as the certainty allows. Pure."""

from dataclasses import dataclass
from typing import NamedTuple

from app.claims.schemas import ClaimWording
from app.claims.vocabulary import (
    Certainty,
    Verb,
)
from app.core.english import inline


class Conjugation(NamedTuple):
    third: str
    plural: str
    opposite: Verb | None = None


CONJUGATIONS: dict[Verb, Conjugation] = {
    Verb.reduce: Conjugation("reduces", "reduce", Verb.increase),
    Verb.increase: Conjugation("increases", "increase", Verb.reduce),
    Verb.improve: Conjugation("improves", "improve", Verb.worsen),
    Verb.worsen: Conjugation("worsens", "worsen", Verb.improve),
    Verb.ease: Conjugation("eases", "ease", Verb.worsen),
    Verb.raise_: Conjugation("raises", "raise", Verb.lower_),
    Verb.lower_: Conjugation("lowers", "lower", Verb.raise_),
    Verb.calm: Conjugation("calms", "calm", Verb.activate),
    Verb.activate: Conjugation("activates", "activate", Verb.calm),
    Verb.protect: Conjugation("protects", "protect", Verb.damage),
    Verb.damage: Conjugation("damages", "damage", Verb.protect),
    Verb.change: Conjugation("changes", "change"),
    Verb.cause: Conjugation("causes", "cause"),
    Verb.block: Conjugation("blocks", "block"),
    Verb.be: Conjugation("is", "are"),
    Verb.have_higher: Conjugation("has higher", "have higher", Verb.have_lower),
    Verb.have_lower: Conjugation("has lower", "have lower", Verb.have_higher),
    Verb.have_more: Conjugation("has more", "have more", Verb.have_less),
    Verb.have_less: Conjugation("has less", "have less", Verb.have_more),
    Verb.have_fewer: Conjugation("has fewer", "have fewer", Verb.have_more),
}


@dataclass(frozen=True)
class Phrase:
    """A claim's phrases as parts of sentences."""

    wording: ClaimWording

    @property
    def subject(self) -> str:
        """The subject inside a sentence."""
        return inline(self.wording.subject)

    @property
    def clause(self) -> str:
        """`the drug reduces pain in people with the condition`, to stand behind `that` or `whether`."""
        return f"{self.subject} {self._present(self.wording.verb)} {self._object}"

    @property
    def _object(self) -> str:
        other = self.wording.other_group
        return f"{self.wording.object} than {other}" if other else self.wording.object

    @property
    def no_difference_clause(self) -> str:
        """`the drug makes little or no difference to serious adverse events`, to stand behind `that`."""
        return f"{self.subject} {self.number('makes', 'make')} little or no difference to {self.wording.object}"

    def _present(self, verb: Verb) -> str:
        conjugation = CONJUGATIONS[verb]
        return conjugation.plural if self.wording.plural else conjugation.third

    def _base(self, verb: Verb) -> str:
        return "be" if verb is Verb.be else CONJUGATIONS[verb].plural

    def number(self, singular: str, plural: str) -> str:
        """A verb in the number of the subject."""
        return plural if self.wording.plural else singular

    def ladder(self, certainty: Certainty, verb: Verb | None = None) -> str:
        """That it is so, as firmly as the certainty allows."""
        verb = verb or self.wording.verb
        present = self._present(verb)
        probable = f"{present} probably" if verb is Verb.be else f"probably {present}"
        return self._firmly(certainty, present, probable, f"may {self._base(verb)}", self._object)

    def no_difference(self, certainty: Certainty) -> str:
        """That it makes no difference that matters, as firmly as the certainty allows."""
        makes = self.number("makes", "make")
        little = f"little or no difference to {self.wording.object}"
        return self._firmly(certainty, makes, f"probably {makes}", "may make", little)

    def _firmly(self, certainty: Certainty, surely: str, probably: str, maybe: str, rest: str) -> str:
        """The rungs of GRADE guideline 26."""
        verb = {Certainty.high: surely, Certainty.moderate: probably}.get(certainty, maybe)
        limit = f", {self.wording.limit}" if self.wording.limit else ""
        return f"{self.wording.subject} {verb} {rest}{limit}{_doubt(certainty)}."

    def same_in_both_groups(self, certainty: Certainty) -> str:
        """Of a comparison: that the groups do not differ much."""
        verb = {Certainty.high: "is", Certainty.moderate: "is probably"}.get(certainty, "may be")
        return (
            f"There {verb} little or no difference in {self.wording.object} between {self.groups}{_doubt(certainty)}."
        )

    @property
    def groups(self) -> str:
        return f"{self.subject} and {self.wording.other_group}"

    def is_not(self, certainty: Certainty) -> str:
        """Of a state: that it is not so."""
        is_not = self.number("is", "are")
        verb = {Certainty.high: f"{is_not} not", Certainty.moderate: f"{is_not} probably not"}.get(
            certainty, "may not be"
        )
        return f"{self.wording.subject} {verb} {self.wording.object}."

    def opposite(self, certainty: Certainty) -> str | None:
        """That the opposite is so; null for a verb without an opposite."""
        opposite = CONJUGATIONS[self.wording.verb].opposite
        return self.ladder(certainty, opposite) if opposite else None

    def less_common(self, certainty: Certainty) -> str:
        """Of a harm: that it is rarer instead."""
        makes = self.number("makes", "make")
        return self._firmly(certainty, makes, f"probably {makes}", "may make", f"{self.wording.object} less common")


def _doubt(certainty: Certainty) -> str:
    return "" if certainty in (Certainty.high, Certainty.moderate, Certainty.low) else _UNCERTAIN


_UNCERTAIN = ", but the evidence is very uncertain"
