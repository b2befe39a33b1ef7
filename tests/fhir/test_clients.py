"""Clients that others wrote drive a running server."""

import warnings

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fhirclient.client import FHIRClient
    from fhirpy import SyncFHIRClient
    from fhirpy.base.exceptions import ResourceNotFound


def test_fhirpy_reads_searches_and_pages(url: str) -> None:
    client = SyncFHIRClient(url)

    citation = client.reference("Citation", "alder-2013").to_resource()
    warnings_of_low_dose = client.resources("ClinicalUseDefinition").search(
        subject="Substance/low-dose-zelvane", type="contraindication,warning"
    )
    paged = [resource["id"] for resource in client.resources("Evidence").limit(10)]

    assert citation["citedArtifact"]["publicationForm"][0]["volume"] == "1"
    assert "zelvane-lort-contraindication" in [resource["id"] for resource in warnings_of_low_dose.fetch_all()]
    assert len(paged) == len(set(paged)) == client.resources("Evidence").count()


def test_fhirpy_hears_of_what_is_not_there(url: str) -> None:
    with pytest.raises(ResourceNotFound):
        SyncFHIRClient(url).reference("Citation", "nobody").to_resource()


def test_fhirclient_prepares_itself_from_the_metadata(url: str) -> None:
    client = FHIRClient(settings={"app_id": "test", "api_base": url})

    bundle = client.server.request_json("ClinicalUseDefinition?indication=M99.97&_count=1")

    assert client.prepare()
    assert client.ready
    assert bundle["resourceType"] == "Bundle"
