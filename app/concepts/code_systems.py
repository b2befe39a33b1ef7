"""How other systems name the code systems, and the normal form of codes.

Those that come with the software, and those of the data set, are terms (`app.concepts.terms`). Named here are the few
whose codes have a form of their own, or with which a standard is implemented.
"""

import re
from functools import lru_cache

from app.concepts.terms import CodeSystemTerm, Vocabularies, with_shipped
from app.core.folding import fold_code, words

ATC = "atc"
DOID = "doid"
ICD10CM = "icd10cm"
ICD11 = "icd11"
MONDO = "mondo"
NDC = "ndc"
ORPHANET = "orphanet"
RXNORM = "rxnorm"
SNOMED = "snomed"

_POINT_AFTER = {ICD10CM: 3, ICD11: 4}
"""Characters before the point, in classifications whose codes are also written without it."""
_NDC_WIDTHS = (5, 4, 2)


class CodeSystems:
    """The code systems that are known, by their ids and by all that others call them."""

    def __init__(self, terms: tuple[CodeSystemTerm, ...]) -> None:
        self._terms = {term.id: term for term in terms}
        self._identified = {name: term.id for term in reversed(terms) for name in term.identifiers}
        self._spellings = {name: term.id for term in reversed(terms) for name in term.spellings}

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._terms)

    def identified(self, identifier: str) -> str | None:
        """The system with this URI or OID (bare or as `urn:oid:`); null where none here has it."""
        return self._identified.get(identifier.removeprefix("urn:oid:"))

    def named(self, name: str) -> str | None:
        """The system with this name in any spelling (`ICD-10-CM`, `icd10cm`), URI or OID; null where none has it."""
        return self.identified(name.strip().rstrip("/")) or self._spellings.get("".join(words(name)))

    def uri(self, system: str) -> str | None:
        """The URI by which FHIR names the system; null where it has none."""
        term = self._terms.get(system)
        return term.fhir if term else None

    def fhir_code(self, system: str, code: str) -> str:
        """The code as FHIR writes it: `MONDO:0007947`."""
        term = self._terms.get(system)
        prefix = term.fhir_prefix if term else None
        return f"{prefix}{self.normal(system, code)}" if prefix else code

    def normal(self, system: str, code: str) -> str:
        """The form in which codes are stored and compared: capitals, no spaces, with its point (`M797` is `M79.7`),
        without the prefix or the name of its system (`MONDO:0007947` is `0007947`; what else stands before a colon is a
        part of the code), an NDC as digits in 5-4-2 (`0406-1170-03` is `00406117003`) or, without the package, in 5-4.
        """
        plain = self._without_prefix(system, fold_code(code))
        if system == NDC:
            return _normal_ndc(plain)
        point = _POINT_AFTER.get(system)
        digits = plain.replace(".", "")
        if point and len(digits) > point and re.fullmatch(r"[0-9A-Z]+", digits):
            return f"{digits[:point]}.{digits[point:]}"
        return plain

    def _without_prefix(self, system: str, code: str) -> str:
        term = self._terms.get(system)
        prefix = fold_code(term.fhir_prefix) if term and term.fhir_prefix else ""
        if prefix and code.startswith(prefix) and code != prefix:
            return code.removeprefix(prefix)
        name, _, rest = code.partition(":")
        return rest if rest and name and self.named(name) == system else code

    def pattern(self, system: str) -> str | None:
        """The regular expression for the whole of a code; null where any may stand."""
        term = self._terms.get(system)
        return term.pattern if term else None

    def has_form(self, system: str, code: str) -> bool:
        """Whether the code may be one of the system."""
        term = self._terms.get(system)
        return term is None or term.has_form(self.normal(system, code))


@lru_cache(maxsize=8)
def code_systems_of(vocabularies: Vocabularies) -> CodeSystems:
    """Those that come with the software, and those of a data set."""
    return CodeSystems(with_shipped(vocabularies).code_systems)


SHIPPED_SYSTEMS = code_systems_of(Vocabularies())


def _normal_ndc(code: str) -> str:
    parts = code.split("-")
    if len(parts) == 1:
        return code
    return "".join(part.zfill(width) for part, width in zip(parts, _NDC_WIDTHS, strict=False))
