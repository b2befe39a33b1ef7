"""How study designs weigh: the closed vocabulary by which designs, which are open, say what the method makes of
them."""

from app.core.vocabulary import Term


class WeighsAs(Term):
    """How the method weighs the studies of a design; the order is from strongest to weakest, with reviews after
    studies."""

    randomized = (
        "randomized",
        "Randomized trial",
        "Treatments are assigned by chance: the highest weight, by the number of people.",
    )
    comparative = "comparative", "Comparative study", "People who were treated are compared with others, not by chance."
    uncontrolled = "uncontrolled", "Uncontrolled study", "Nobody else is compared with those who were treated."
    case_report = "case_report", "Case report", "A few people are described: weighs as laboratory work does."
    laboratory = "laboratory", "Laboratory work", "Nothing was measured in people."
    meta_analysis = (
        "meta_analysis",
        "Systematic review with meta-analysis",
        "A systematic review that pools; a large one weighs more.",
    )
    systematic_review = (
        "systematic_review",
        "Systematic review",
        "A review by a stated method: weighs where no study votes, together with all others.",
    )
    review = "review", "Other review", "A review without a stated method, or without findings of its own: never weighs."
    not_weighable = "not_weighable", "Not weighable", "How it was made is not known well enough: counted, weighs 0."

    @property
    def is_review(self) -> bool:
        """Reviews report other people's studies and are counted apart from them."""
        return self.is_systematic or self is WeighsAs.review

    @property
    def is_systematic(self) -> bool:
        return self in (WeighsAs.meta_analysis, WeighsAs.systematic_review)

    @property
    def is_randomized(self) -> bool:
        return self is WeighsAs.randomized

    @property
    def is_compared(self) -> bool:
        """Whether its studies have a comparison group."""
        return self in (WeighsAs.randomized, WeighsAs.comparative)
