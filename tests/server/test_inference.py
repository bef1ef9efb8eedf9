"""The Open Inference Protocol, version 2: a table of what a client may rely on."""

import base64
from typing import Any

import pytest

from sightline.core.encoding import encode

from .conftest import NAMES, Running, coloured

BASE = "/v2/models/colours"


def tensor(*names: str, **more: Any) -> dict[str, Any]:
    data = [base64.b64encode(encode(coloured(name))).decode() for name in names]
    return {"name": "picture", "shape": [len(names)], "datatype": "BYTES", "data": data, **more}


def pixels(*names: str) -> dict[str, Any]:
    flat = [int(value) for name in names for value in coloured(name).ravel()]
    return {"name": "picture", "shape": [len(names), 24, 24, 3], "datatype": "UINT8", "data": flat}


def test_health_and_metadata(service: Running) -> None:
    with service.client() as client:
        for path in ("/v2/health/live", "/v2/health/ready", f"{BASE}/ready", f"{BASE}/versions/1/ready"):
            assert client.get(path).status_code == 200, path
        server = client.get("/v2").json()
        assert server["name"] == "sightline"
        assert server["version"]
        assert isinstance(server["extensions"], list)
        model = client.get(BASE).json()
        assert model == client.get(f"{BASE}/versions/1").json()
        for path in ("/v2/models/other", f"{BASE}/versions/2", f"{BASE}/versions/x", "/v2/models/other/ready",
                     f"{BASE}/versions/2/ready"):  # fmt: skip
            assert client.get(path).status_code == 404, path
    assert model["name"] == "colours"
    assert model["versions"] == ["1"]
    assert model["platform"]
    assert model["inputs"] == [{"name": "picture", "datatype": "BYTES", "shape": [-1]}]
    assert {one["name"]: one["datatype"] for one in model["outputs"]} == {"names": "BYTES", "scores": "FP32"}


@pytest.mark.parametrize("given", [tensor("red"), pixels("red")], ids=["bytes", "pixels"])
def test_one_picture(service: Running, given: dict[str, Any]) -> None:
    with service.client() as client:
        reply = client.post(f"{BASE}/infer", json={"id": "abc", "inputs": [given]})
    said = reply.json()
    assert reply.status_code == 200
    assert (said["model_name"], said["model_version"], said["id"]) == ("colours", "1", "abc")
    outputs = {one["name"]: one for one in said["outputs"]}
    assert outputs["names"]["data"] == list(NAMES)
    assert outputs["names"]["datatype"] == "BYTES"
    scores = outputs["scores"]
    assert scores["shape"] == [1, 3]
    assert scores["datatype"] == "FP32"
    assert scores["data"][0] == max(scores["data"])
    assert said["parameters"]["version"] == 1
    assert said["parameters"]["arm"] == "champion"


@pytest.mark.parametrize("given", [tensor("red", "blue"), pixels("red", "blue")], ids=["bytes", "pixels"])
def test_a_batch(service: Running, given: dict[str, Any]) -> None:
    asked = {"inputs": [given], "outputs": [{"name": "scores"}], "parameters": {"which": "champion"}}
    with service.client() as client:
        said = client.post(f"{BASE}/versions/1/infer", json=asked).json()
    [scores] = said["outputs"]
    assert scores["shape"] == [2, 3]
    assert max(scores["data"][:3]) == scores["data"][0]
    assert max(scores["data"][3:]) == scores["data"][5]


@pytest.mark.parametrize(
    ("plain", "status"),
    [
        ({}, 400),
        ({"inputs": []}, 400),
        ({"inputs": [1]}, 400),
        ({"inputs": [tensor("red"), tensor("red")]}, 400),
        ({"inputs": [tensor("red")], "more": 1}, 400),
        ({"inputs": [tensor("red")], "id": 1}, 400),
        ({"inputs": [tensor("red")], "outputs": 1}, 400),
        ({"inputs": [tensor("red")], "outputs": [{"name": "boxes"}]}, 400),
        ({"inputs": [tensor("red")], "parameters": [1]}, 400),
        ({"inputs": [tensor("red")], "parameters": {"level": "x"}}, 400),
        ({"inputs": [tensor("red", shape=[2])]}, 400),
        ({"inputs": [tensor("red", shape="1")]}, 400),
        ({"inputs": [tensor("red", datatype="FP64")]}, 400),
        ({"inputs": [tensor("red", data=[])]}, 400),
        ({"inputs": [tensor("red", data=["*"])]}, 400),
        ({"inputs": [tensor("red", data=["QQ=="])]}, 422),
        ({"inputs": [tensor("red", name=1)]}, 400),
        ({"inputs": [pixels("red") | {"shape": [24, 24, 4]}]}, 400),
        ({"inputs": [pixels("red") | {"datatype": "INT64"}]}, 400),
        ({"inputs": [tensor(*["red"] * 5)]}, 413),
    ],
)
def test_what_is_not_the_protocol_is_refused_in_its_words(service: Running, plain: Any, status: int) -> None:
    with service.client() as client:
        reply = client.post(f"{BASE}/infer", json=plain)
    assert reply.status_code == status
    assert isinstance(reply.json()["error"], str)


def test_models_and_versions_that_are_not_there(service: Running) -> None:
    asked = {"inputs": [tensor("red")]}
    with service.client() as client:
        for path in ("/v2/models/other/infer", f"{BASE}/versions/2/infer", f"{BASE}/versions/champion/infer"):
            assert client.post(path, json=asked).status_code == 404, path
