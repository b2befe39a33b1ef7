"""The study designs that are known to a data set, from strongest to weakest."""

from collections.abc import Sequence
from functools import cached_property, lru_cache

from app.concepts.terms import StudyDesignTerm, Vocabularies, with_shipped
from app.concepts.weighing import WeighsAs


class StudyDesigns:
    """Finds designs by their ids, and tells which of two is the stronger one."""

    def __init__(self, terms: Sequence[StudyDesignTerm]) -> None:
        self.terms = tuple(terms)

    @cached_property
    def _ranks(self) -> dict[str, int]:
        return {term.id: rank for rank, term in enumerate(self.terms)}

    def __contains__(self, design_id: object) -> bool:
        return design_id in self._ranks

    def design(self, design_id: str) -> StudyDesignTerm:
        """The design with this id. One that the data set no longer has is not weighable."""
        rank = self._ranks.get(design_id)
        if rank is None:
            return StudyDesignTerm(id=design_id, label=design_id, definition="-", weighs_as=WeighsAs.not_weighable)
        return self.terms[rank]

    def rank(self, design_id: str) -> int:
        """0 is the strongest design; one that is not there is the weakest."""
        return self._ranks.get(design_id, len(self.terms))

    @cached_property
    def reviews(self) -> tuple[str, ...]:
        """The ids of the designs of reviews."""
        return tuple(term.id for term in self.terms if term.is_review)


@lru_cache(maxsize=16)
def _designs_with(own: tuple[StudyDesignTerm, ...]) -> StudyDesigns:
    return StudyDesigns(with_shipped(Vocabularies(study_designs=own)).study_designs)


def study_designs_of(vocabularies: Vocabularies) -> StudyDesigns:
    """The designs that come with the software, and those that a data set adds."""
    return _designs_with(vocabularies.study_designs)


SHIPPED_DESIGNS = study_designs_of(Vocabularies())
