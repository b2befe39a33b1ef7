"""What holds for the requests to every address: single parameters stand once, and headers mean what they say."""

from collections import defaultdict
from typing import Any

from starlette.testclient import TestClient


def takes_many(schema: dict[str, Any]) -> bool:
    return "array" in {one.get("type") for one in (schema, *schema.get("anyOf", ()))}


def test_every_single_parameter_may_stand_once(client: TestClient) -> None:
    document: dict[str, Any] = client.get("/openapi.json").json()
    tried = 0
    for path, operations in document["paths"].items():
        address = path.format_map(defaultdict(lambda: "1"))
        for method, operation in operations.items():
            for parameter in operation.get("parameters", []):
                if parameter["in"] != "query" or takes_many(parameter["schema"]):
                    continue
                twice = f"{address}?{parameter['name']}=1&{parameter['name']}=2"
                answer = client.request(method, twice)
                assert answer.status_code == 422, twice
                assert parameter["name"] in [error["field"] for error in answer.json()["errors"]], twice
                tried += 1
    assert tried > 50


def test_infobutton_does_not_guess_which_of_two_codes_is_meant(client: TestClient) -> None:
    code = "mainSearchCriteria.v.c"
    address = f"/infobutton?mainSearchCriteria.v.cs=2.16.840.1.113883.6.88&{code}=7243&{code}="
    assert client.get(f"{address}7243").status_code == 200
    assert client.get(f"{address}7804").status_code == 422


def test_media_types_are_the_same_in_any_case_and_in_several_headers(client: TestClient) -> None:
    for accept in (["Application/X-BibTeX"], ["text/html", "application/x-bibtex"]):
        answer = client.get("/v1/documents/alder-2013", headers=[("Accept", value) for value in accept])
        assert answer.headers.get("content-type") == "application/x-bibtex; charset=utf-8", accept
