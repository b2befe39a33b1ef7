"""What an error says of a request that names several records: which of them is wrong, and what is known of it."""

from starlette.testclient import TestClient

from tests.contract.support import Item


def errors(client: TestClient, address: str) -> list[Item]:
    answer = client.get(address)
    assert answer.status_code == 422
    found: list[Item] = answer.json()["errors"]
    return found


def test_every_wrong_value_of_a_repeated_parameter_is_named_by_its_position(client: TestClient) -> None:
    for parameter, right in (("document", "alder-2013"), ("condition", "murmuria")):
        found = errors(client, f"/v1/claims?{parameter}=zq7&{parameter}={right}&{parameter}=zq8")

        assert [(error["field"], error["code"], error["position"]) for error in found] == [
            (parameter, "unknown_value", 1),
            (parameter, "unknown_value", 3),
        ]
        assert [error["id"] for error in found] == [None, None]


def test_a_value_of_the_wrong_form_is_named_by_its_position(client: TestClient) -> None:
    (error,) = errors(client, "/v1/claims?kind=efficacy&kind=zq7")

    assert (error["field"], error["position"]) == ("kind", 2)


def test_a_value_that_stands_once_has_no_position(client: TestClient) -> None:
    (error,) = errors(client, "/v1/claims?document=aldr-2013")

    assert error["position"] is None
    assert "alder-2013" in error["did_you_mean"]


def test_a_record_that_was_retired_is_named(client: TestClient) -> None:
    (error,) = errors(client, "/v1/studies?claim=ldz-murmuria-pain&claim=ldz-nausea-occurs")

    assert (error["code"], error["id"], error["position"]) == ("retired", "ldz-nausea-occurs", 2)
    assert error["successor"] == "ldz-nausea"
