"""Asks Crossref and PubMed for one document. No other server is ever asked: the settings name all three addresses."""

from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from app.core.errors import AppError, InvalidInput, Unavailable
from app.core.http_client import http_client, read_bounded
from app.core.json_reader import read_json
from app.datasets.source_formats import csl_json, pubmed_xml
from app.datasets.source_formats.record import SourceFile, StatedSource, merge, one_line
from app.settings import Settings
from app.sources.vocabulary import IdentifierScheme

MAX_ANSWER_BYTES = 10_000_000
TIMEOUT_SECONDS = 20.0
_TOOL = {"tool": "ldn-evidence"}
"""How NCBI asks programs to name themselves."""


class SourceServices:
    """The services that know documents by their identifiers."""

    def __init__(self, config: Settings) -> None:
        self._crossref, self._pubmed, self._pmc_ids = (
            address.rstrip("/") for address in (config.crossref_url, config.pubmed_url, config.pmc_ids_url)
        )
        self._allowed = {urlsplit(address)[:2] for address in (self._crossref, self._pubmed, self._pmc_ids)}

    def look_up(self, scheme: IdentifierScheme, normal: str) -> SourceFile:
        """What is stated of the document: by the service that gave it the identifier, and by the other one as well.

        InvalidInput if nobody knows it, Unavailable if nobody can be asked.
        """
        if scheme is IdentifierScheme.pmcid:
            others = self._other_identifiers(normal)
            scheme = IdentifierScheme.pmid if IdentifierScheme.pmid in others else IdentifierScheme.doi
            if scheme not in others:
                raise InvalidInput(f"PubMed Central knows neither a PMID nor a DOI of {normal}.", errors=[])
            normal = others[scheme]
        file = self._from_crossref(normal) if scheme is IdentifierScheme.doi else self._from_pubmed(normal)
        for record in file.records:
            try:
                self._complete(record)
            except AppError as error:
                record.doubt(f"only one source was asked. {error.detail}")
        return file

    def _complete(self, record: StatedSource) -> None:
        """Fill in what the other source states of the document, if both know it."""
        doi, pmid = (record.identifiers.get(scheme) for scheme in (IdentifierScheme.doi, IdentifierScheme.pmid))
        if record.source == "pubmed":
            others = self._from_crossref(doi).records if doi else []
        else:
            if pmid is None and doi is not None:
                pmid = self._other_identifiers(doi).get(IdentifierScheme.pmid)
            others = self._from_pubmed(pmid).records if pmid else []
        for other in others[:1]:
            merge(record, other)

    def _from_crossref(self, doi: str) -> SourceFile:
        address = f"{self._crossref}/works/{quote(doi, safe='')}"
        return csl_json.read(self._get(address, f"Crossref knows no DOI {doi}."), "The answer of Crossref")

    def _from_pubmed(self, pmid: str) -> SourceFile:
        query = urlencode({"db": "pubmed", "id": pmid, "retmode": "xml", **_TOOL})
        unknown = f"PubMed knows no PMID {pmid}."
        file = pubmed_xml.read(self._get(f"{self._pubmed}/efetch.fcgi?{query}", unknown), "The answer of PubMed")
        if not file.records:
            raise InvalidInput(unknown, errors=[])
        return file

    def _other_identifiers(self, normal: str) -> dict[IdentifierScheme, str]:
        """DOI, PMID and PMCID of the document; empty if it is not in PubMed Central."""
        query = urlencode({"ids": normal, "format": "json", **_TOOL})
        raw = self._get(f"{self._pmc_ids}/?{query}", f"PubMed Central knows no {normal}.")
        try:
            answer: Any = read_json(raw)
            record = answer["records"][0]
            found = {scheme: one_line(record.get(scheme.value)) for scheme in IdentifierScheme}
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise Unavailable("PubMed Central's answer on identifiers cannot be read.") from error
        return {scheme: text for scheme, text in found.items() if text}

    def _get(self, address: str, unknown: str) -> bytes:
        if urlsplit(address)[:2] not in self._allowed:
            raise ValueError("no address of a service")
        host, headers = urlsplit(address).netloc, {"Accept-Encoding": "identity", "User-Agent": "ldn-evidence"}
        try:
            with (
                http_client(timeout=TIMEOUT_SECONDS, trust_env=True) as client,
                client.stream("GET", address, headers=headers) as response,
            ):
                if response.status_code in (400, 404):
                    raise InvalidInput(unknown, errors=[])
                if response.status_code != 200:
                    raise Unavailable(f"{host} answered {response.status_code}. Try again later. {_by_hand(address)}")
                return read_bounded(response, MAX_ANSWER_BYTES)
        except OSError as error:
            raise Unavailable(f"{host} cannot be reached from here ({error}). {_by_hand(address)}") from error
        except ValueError as error:
            raise Unavailable(f"The answer of {host} cannot be read. {_by_hand(address)}") from error


def _by_hand(address: str) -> str:
    return f"Open {address} where there is a network, save what it shows, and name that file instead."
