"""A service as its callers meet it: answers that say whose they are, pictures without a past, one way to say no."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from sightline.core.annotations import Labels, from_json
from sightline.core.decoding import decode
from sightline.core.encoding import encode, encode_as

from .conftest import NAMES, Running, coloured

PREDICT = "/models/colours/predict"
RAW = {"Content-Type": "application/octet-stream"}


def test_three_lines_say_where_what_and_how(service: Running) -> None:
    where, models, how = service.said.splitlines()
    assert service.base in where
    assert "/api" in where
    assert models == "models: colours"
    assert how.startswith("ask: curl ")
    assert "/models/colours/predict" in how
    assert "Authorization" in how


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_says_whose_it_is_and_how_sure(service: Running, name: str) -> None:
    with service.client() as client:
        reply = client.post(PREDICT, files={"picture": ("a.png", encode(coloured(name)))})
    said = reply.json()
    assert reply.status_code == 200
    assert (said["model"], said["version"], said["arm"]) == ("colours", 1, "champion")
    answer = from_json(said["answer"])
    assert isinstance(answer, Labels)
    assert answer.best == name
    assert said["decision"]["best"] == name
    assert said["decision"]["unsure"] is False
    assert set(said) == {"model", "version", "seal", "arm", "kept", "thresholds", "answer", "decision", "seconds",
                         "request_id"}  # fmt: skip
    assert len(said["seal"]) == 64
    assert said["request_id"] == reply.headers["x-request-id"]
    assert reply.headers["x-model-version"] == "1"


def test_every_way_to_send_a_picture_gives_the_same_answer(service: Running, picture: bytes) -> None:
    text = base64.b64encode(picture).decode()
    pixels = {"shape": [24, 24, 3], "datatype": "UINT8", "data": coloured("green").ravel().tolist()}
    with service.client() as client:
        given = [
            client.post(PREDICT, files={"anything": ("x", picture)}),
            client.post(PREDICT, content=picture, headers={"Content-Type": "image/png"}),
            client.post(PREDICT, content=picture, headers=RAW),
            client.post(PREDICT, json={"picture": text}),
            client.post(PREDICT, json={"picture": {"data": text}}),
            client.post(PREDICT, json={"picture": {"tensor": pixels}}),
        ]
    answers = [json.dumps(reply.json()["answer"]) for reply in given]
    assert len(set(answers)) == 1
    assert '"green"' in answers[0]


def test_several_pictures_and_one_that_is_none(service: Running, picture: bytes) -> None:
    files = [("picture", ("a", encode(coloured("red")))), ("picture", ("b", b"no picture")), ("c", ("c", picture))]
    with service.client() as client:
        whole = client.post(PREDICT, files=files).json()
    said = whole["answers"]
    assert [row["request_id"] for row in said] == [f"{whole['request_id']}/{place}" for place in range(3)]
    assert said[0]["decision"]["best"] == "red"
    assert said[2]["decision"]["best"] == "green"
    assert said[1]["code"] == "unknown_format"
    assert said[1]["status"] == 422
    assert "answer" not in said[1]


def test_options_in_the_query_a_header_or_the_form(service: Running, picture: bytes) -> None:
    with service.client() as client:
        top = client.post(f"{PREDICT}?top=1&which=champion", content=picture, headers=RAW).json()
        doubted = client.post(PREDICT, files={"p": ("a", picture)}, data={"least": "1.0"}).json()
        missing = client.post(PREDICT, content=picture, headers={**RAW, "X-Version": "7"})
        late = client.post(PREDICT, content=picture, headers={**RAW, "X-Deadline": "-1"})
    assert top["answer"]["names"] == ["green"]
    assert doubted["decision"]["unsure"]
    assert "less than 1" in doubted["decision"]["why"]
    assert missing.status_code == 404
    assert late.status_code == 400


def test_a_drawn_answer_carries_no_past(service: Running) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x010E], exif[0x9286] = "secret place", "secret comment"
    import io

    held = io.BytesIO()
    Image.fromarray(coloured("blue", 64)).save(held, "jpeg", exif=exif, comment=b"secret words", quality=95)
    assert b"secret" in held.getvalue()
    with service.client() as client:
        reply = client.post(PREDICT, content=held.getvalue(), headers={**RAW, "Accept": "image/png"})
        both = client.post(PREDICT, content=held.getvalue(), headers={**RAW, "Accept": "image/png, application/json"})
    assert reply.headers["content-type"] == "image/png"
    assert both.headers["content-type"] == "application/json"
    kinds = [reply.content[at : at + 4] for at in chunks(reply.content)]
    assert set(kinds) <= {b"IHDR", b"IDAT", b"IEND", b"sRGB"}
    assert b"secret" not in reply.content
    drawn = decode(reply.content)
    assert drawn.shape[0] > drawn.shape[1]
    assert drawn.dtype == np.uint8


def chunks(data: bytes) -> list[int]:
    """Where the name of each chunk of a PNG stands."""
    found, at = [], 8
    while at < len(data):
        found.append(at + 4)
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    return found


@pytest.mark.parametrize(
    ("path", "content", "headers", "status", "code"),
    [
        (PREDICT, b"", RAW, 422, "empty"),
        (PREDICT, b"not a picture", RAW, 422, "unknown_format"),
        (PREDICT, encode_as(coloured("red", 200), ".png")[:300], RAW, 422, None),
        (PREDICT, b"{}", {"Content-Type": "application/json"}, 400, "schema"),
        (PREDICT, b"x", {"Content-Type": "text/html"}, 415, "media"),
        (PREDICT, b"x" * 300_001, RAW, 413, "body"),
        ("/models/other/predict", b"x", RAW, 404, None),
        ("/models/..%2f..%2fetc/predict", b"x", RAW, 404, "not_found"),
        ("/models/%00/predict", b"x", RAW, 404, "not_found"),
        (f"{PREDICT}?level=2", b"x", RAW, 400, "schema"),
        ("/models/colours/predict/", b"x", RAW, 404, "not_found"),
    ],
)
def test_every_refusal_has_a_code_and_nothing_else_to_tell(
    service: Running, path: str, content: bytes, headers: dict[str, str], status: int, code: str | None
) -> None:
    with service.client() as client:
        reply = client.post(path, content=content, headers=headers)
    said = reply.json()
    assert reply.status_code == status
    assert set(said) == {"error", "code", "request_id"}
    assert code is None or said["code"] == code
    assert said["request_id"] == reply.headers["x-request-id"]
    for word in ("Traceback", ".py", "/tmp", "site-packages", "sightline/"):
        assert word not in reply.text


def test_a_request_keeps_its_id_where_it_is_a_plain_word(service: Running) -> None:
    with service.client() as client:
        assert client.get("/v2", headers={"X-Request-Id": "order-66"}).headers["x-request-id"] == "order-66"
        assert client.get("/v2", headers={"X-Request-Id": "a b"}).headers["x-request-id"] != "a b"


def test_models_and_versions_are_described(service: Running) -> None:
    with service.client() as client:
        assert client.get("/models").json() == {
            "models": [{"name": "colours", "champion": 1, "aliases": {"champion": 1}}]
        }
        model = client.get("/models/colours").json()
        assert model["about"]["names"] == list(NAMES)
        assert model["traffic"] is None
        assert client.get("/models/colours/versions/1").json() == model["about"]
        assert client.get("/models/colours/versions/2").status_code == 404
        assert str(service.log.parent) not in client.get("/models/colours").text


def test_bundles_cannot_be_promoted(service: Running) -> None:
    with service.client() as client:
        for path, body in (("promote", {"which": 1}), ("rollback", {})):
            reply = client.post(f"/admin/models/colours/{path}", json=body)
            assert (reply.status_code, reply.json()["code"]) == (409, "conflict")
        assert client.put("/admin/models/colours/traffic", json={"traffic": None}).status_code == 409
        assert client.post("/admin/refresh").status_code == 200


def test_other_methods_and_routes(service: Running) -> None:
    with service.client() as client:
        reply = client.delete("/models")
        assert (reply.status_code, reply.json()["code"], reply.headers["allow"]) == (405, "method", "GET")
        assert client.get("/nothing").json()["code"] == "not_found"
        assert client.get(PREDICT).status_code == 405


def test_metrics_can_be_read_and_name_nobody(service: Running, picture: bytes) -> None:
    with service.client() as client:
        client.post(PREDICT, content=picture, headers=RAW)
        text = client.get("/metrics").text
    found = {family.name: family for family in text_string_to_metric_families(text)}
    for name in ("sightline_requests", "sightline_request_duration_seconds", "sightline_queue_wait_seconds",
                 "sightline_compute_seconds", "sightline_rejected", "sightline_decode_errors", "sightline_inflight",
                 "sightline_queue_length", "sightline_model_info"):  # fmt: skip
        assert name in found, name
    labels = {key for family in found.values() for sample in family.samples for key in sample.labels}
    assert not labels & {"caller", "token", "file", "path", "user", "request_id"}
    count = sum(sample.labels.get("model") == "colours" for family in found.values() for sample in family.samples)
    assert 0 < count <= 300


def test_the_log_says_what_happened_and_no_secret(service: Running, picture: bytes) -> None:
    with service.client() as client:
        client.post(f"{PREDICT}?which=canary-in-query", content=picture, headers={**RAW, "X-Request-Id": "log-me"})
        client.get("/canary-in-path")
        client.get("/models", headers={"Authorization": "Bearer canary-token"})
    lines = [line for line in service.lines() if line["event"] == "request"]
    mine = next(line for line in lines if line["request_id"] == "log-me")
    assert mine["route"] == "/models/{name}/predict"
    assert mine["status"] == 404
    assert mine["caller"]
    text = service.log.read_text()
    assert "canary" not in text
    for token in service.tokens.values():
        assert token not in text
        assert token.split("_", 2)[2] not in text  # the secret, which may hold one itself


def test_the_pages_need_nothing_from_elsewhere(service: Running) -> None:
    with service.client() as client:
        for path in ("/", "/api"):
            page = client.get(path)
            policy = page.headers["content-security-policy"]
            assert "unsafe" not in policy
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert page.headers["x-content-type-options"] == "nosniff"
            assert "http://" not in page.text
            assert "https://" not in page.text
            assert "<script>" not in page.text
            assert "style=" not in page.text
            assert " onload" not in page.text
            for asset in [word.split('"')[0] for word in page.text.split('"/assets/')[1:]]:
                reply = client.get(f"/assets/{asset}")
                assert reply.status_code == 200
                assert reply.content
        assert client.get("/assets/../settings.py").status_code == 404
        assert client.get("/assets/..%2fsettings.py").status_code == 404


def test_the_description_names_every_route_with_its_refusals(service: Running) -> None:
    with service.client() as client:
        described = client.get("/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    for path, methods in described["paths"].items():
        for method, said in methods.items():
            assert {"401", "403", "429"} <= set(said["responses"]), (path, method)
            assert said["x-scope"] in ("", "infer", "read", "train", "admin")
            assert said["summary"] or said["description"]
    assert {"/models/{name}/predict", "/v2/models/{name}/infer", "/metrics"} <= set(described["paths"])
    assert "HTTPValidationError" not in json.dumps(described)


def test_many_at_once_each_get_their_own_answer(service: Running) -> None:
    pictures = {name: encode(coloured(name)) for name in NAMES}

    def ask(index: int) -> bool:
        name = NAMES[index % 3]
        with service.client() as client:
            reply: Any = client.post(PREDICT, content=pictures[name], headers=RAW)
        return bool(reply.status_code == 200 and reply.json()["decision"]["best"] == name)

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(ask, range(48)))
