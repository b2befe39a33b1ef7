"""The check of interactions that the documentation shows, with the drugs of the shipped data set."""

from starlette.testclient import TestClient

from tests.api.test_interaction_checks import PATH, checked


def test_the_example_of_the_documentation_is_contraindicated(client: TestClient) -> None:
    body = client.get("/openapi.json").json()["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]
    answer = checked(client, body["examples"]["naltrexone"]["value"]["drugs"])
    known = [drug["intervention"]["id"] for drug in answer["drugs"] if drug["recognized"]]
    assert known == ["naltrexone", "methadone", "oxycodone"]
    assert answer["headline"]["label"] == "Contraindicated; 1 drug not recognized"
    assert [entry["candidates"][0]["id"] for entry in answer["unrecognized"]] == ["oxycodone"]
    assert answer["drugs"][0]["dose"]["tiers"] == ["low"]
    statuses = {tuple(pair["positions"]): pair["status"] for pair in answer["pairs"]}
    expected = {(0, 1): "contraindicated", (0, 2): "contraindicated", (1, 2): "not_searched"}
    assert statuses == expected | dict.fromkeys([(0, 3), (1, 3), (2, 3)], "unrecognized")
