"""Show pictures, have a model trained on them, ask it: over HTTP alone, by a caller who may do that and no more."""

import base64
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import sightline
from sightline.core.encoding import encode
from sightline.registering.registry import open_registry
from sightline.server.tokens import new_token
from tests.server.conftest import Running, coloured, make_bundle

Pictures = list[tuple[bytes, str]]


@pytest.fixture(scope="module")
def parts() -> Pictures:
    """Files with the name of what they show."""
    data = sightline.open_data("drawn:parts?count=70&size=32")
    return [(sample.image.encoded(), sample.truth.names[0]) for sample in data]


@pytest.fixture
def school(tmp_path: Path, starting: Callable[..., Running]) -> Running:
    """A service that learns, with a model of another tenant."""
    with open_registry(tmp_path / "registry") as registry:
        registry.register("bolt-colours", make_bundle(tmp_path / "colours"))
    kinds = {
        "acme": (["infer", "read", "train"], ["acme-*"]), "bolt": (["infer", "read", "train"], ["bolt-*"]),
        "reader": (["infer", "read"], ["acme-*"]),
    }  # fmt: skip
    tokens = {
        name: new_token(tmp_path / "tokens.json", scopes, name, only)[1] for name, (scopes, only) in kinds.items()
    }
    limits = ("--limit", "train_minutes=1", "--limit", "dataset_bytes=400000")
    return starting("--train", "--workers", "1", "--token-file", "tokens.json", *limits, tokens=tokens)


def test_from_shown_pictures_to_answers(school: Running, parts: Pictures) -> None:
    with school.client("acme") as acme, school.client("bolt") as bolt, school.client("reader") as reader:
        maps = Path(f"/proc/{school.process.pid}/maps")
        assert not maps.is_file() or "torch" not in maps.read_text(), "who answers does not hold what learning needs"
        assert acme.get("/datasets").json() == {"datasets": []}
        form = [(name, ("a.png", data, "image/png")) for data, name in parts[:60]]
        taught = acme.post("/datasets/acme-parts/pictures", files=form)
        assert taught.status_code == 200, taught.text
        assert taught.json()["taken"] == taught.json()["pictures"] == 60
        data, name = parts[60]
        alone = acme.post(
            f"/datasets/acme-parts/pictures?label={name}", content=data, headers={"content-type": "image/png"}
        )
        assert alone.json()["pictures"] == 61
        rows = [{"picture": base64.b64encode(data).decode(), "label": name, "group": "x"} for data, name in parts[61:]]
        rows.insert(1, {"picture": base64.b64encode(b"no picture").decode(), "label": "good"})
        mixed = acme.post("/datasets/acme-parts/pictures", json={"examples": rows}).json()
        assert (mixed["pictures"], mixed["taken"]) == (70, 9)
        assert [(row["place"], row["code"]) for row in mixed["refused"]] == [(1, "unknown_format")]
        held = acme.get("/datasets/acme-parts").json()
        assert sum(held["names"].values()) == 70
        assert held["kind"] == "labels"

        asked = {"dataset": "acme-parts", "model": "acme-parts", "minutes": 0.15}
        assert reader.post("/trainings", json=asked).status_code == 403
        assert bolt.post("/trainings", json=asked).status_code == 404
        assert bolt.post("/trainings", json={**asked, "dataset": "bolt-parts"}).status_code == 404
        training = acme.post("/trainings", json=asked)
        assert training.status_code == 200, training.text
        place = f"/trainings/{training.json()['id']}"
        assert acme.delete("/datasets/acme-parts").status_code == 409, "it is needed"
        assert bolt.get(place).status_code == bolt.delete(place).status_code == 404
        assert bolt.get("/trainings").json() == {"trainings": []}
        until, notes = time.monotonic() + 120, set()
        while (state := acme.get(place).json())["state"] in ("queued", "running") and time.monotonic() < until:
            notes.add(state["note"])
            time.sleep(0.2)
        assert state["state"] == "done", state
        assert state["version"] == 1
        assert state["figures"][0]["name"] == "accuracy"
        assert len(notes) > 2, "it told what it was doing"
        assert acme.get("/models").json()["models"][0]["champion"] == 1
        while True:  # the service looks at its registry every second
            answer = acme.post("/models/acme-parts/predict", files={"picture": ("a.png", parts[0][0])})
            if answer.status_code == 200 or time.monotonic() > until:
                break
            time.sleep(0.1)
        assert answer.status_code == 200
        assert set(answer.json()["answer"]["names"]) == set(held["names"])
        assert bolt.post("/models/acme-parts/predict", files={"picture": ("a.png", parts[0][0])}).status_code == 404
        assert acme.delete("/datasets/acme-parts").json()["pictures"] == 70
        assert acme.get("/datasets/acme-parts").status_code == 404


def test_what_is_not_taken(school: Running, parts: Pictures) -> None:
    (data, name), path = parts[0], "/datasets/acme-parts/pictures"
    with school.client("acme") as acme, school.client("reader") as reader:
        picture = {"content-type": "image/png"}
        for status, answer in (
            (400, acme.post(path, content=data, headers=picture)),
            (400, acme.post(f"{path}?label=a&label=b", content=data, headers=picture)),
            (400, acme.post(f"{path}?label=a&colour=b", content=data, headers=picture)),
            (422, acme.post(f"{path}?label=a", content=data[:40], headers=picture)),
            (422, acme.post(f"{path}?label=%0A", content=data, headers=picture)),
            (415, acme.post(f"{path}?label=a", content=data, headers={"content-type": "text/plain"})),
            (400, acme.post(path, json={"examples": []})),
            (400, acme.post(path, json={"examples": [{"picture": "AA=="}]})),
            (400, acme.post(path, json={"examples": [{"picture": "AA==", "label": "a", "truth": {}}]})),
            (400, acme.post(path, json={"examples": [{"picture": "AA==", "label": "a", "group": 7}]})),
            (400, acme.post(path, files={"a": ("a.png", b"x"), "b": ("b.png", b"y")})),
            (400, acme.post(path, data={"group": "a", "label": "b"}, files={"a": ("a.png", data)})),
            (404, acme.post("/datasets/..%2f..%2fetc/pictures?label=a", content=data, headers=picture)),
            (404, acme.post("/datasets/bolt-parts/pictures?label=a", content=data, headers=picture)),
            (403, reader.post(f"{path}?label=a", content=data, headers=picture)),
            (403, reader.delete("/datasets/acme-parts")),
            (404, acme.post("/trainings", json={"dataset": "acme-none", "model": "acme-none"})),
            (400, acme.post("/trainings", json={"dataset": "acme-none", "model": "acme-none", "minute": 1})),
            (400, acme.post("/trainings", json={"dataset": "acme-none", "model": "acme-none", "minutes": 2})),
            (400, acme.post("/trainings", json={"dataset": "acme-none", "model": "acme-none", "minutes": -1})),
            (404, acme.get("/trainings/none")),
            (404, acme.delete("/trainings/none")),
        ):
            assert answer.status_code == status, (answer.request.url, answer.text)
            assert answer.json()["code"]
            assert "/" not in answer.json()["error"] or "sightline" in answer.json()["error"]
        assert acme.post(f"{path}?label=a", content=data, headers=picture).json()["pictures"] == 1
        for wrong in (
            {"network": "prototypes:runs/secret"}, {"network": "timm:resnet18.a1_in1k"}, {"network": "nothing"},
            {"network": "small:../x"}, {"task": "nothing"}, {"seed": -1}, {"alias": "7"}, {"alias": "latest"},
            {"model": "acme-A b"}, {"minutes": "1"}, {"seed": True},
        ):  # fmt: skip
            answer = acme.post("/trainings", json={"dataset": "acme-parts", "model": "acme-parts", **wrong})
            assert answer.status_code == 400, (wrong, answer.text)
        assert acme.get("/trainings").json() == {"trainings": []}
        noise = encode(np.random.default_rng(0).integers(0, 255, (400, 400, 3), np.uint8))
        assert len(noise) > 400_000
        assert acme.post(f"{path}?label=a", content=noise, headers=picture).status_code == 413
        large = [(name, ("a.png", coloured("red", 400).tobytes()[:200_000])) for _ in range(2)]
        assert acme.post(path, files=large).status_code == 400
        assert [row["pictures"] for row in acme.get("/datasets").json()["datasets"]] == [1]


def test_it_learns_only_where_it_was_told_to(bundle: Path, starting: Callable[..., Running], tmp_path: Path) -> None:
    running = starting(str(bundle), "--workers", "1")
    with running.client() as client:
        for answer in (client.get("/datasets"), client.post("/datasets/a/pictures?label=a", content=b"x")):
            assert answer.status_code == 409
            assert "--train" in answer.json()["error"]
    with pytest.raises(AssertionError, match="--train goes with a registry"):
        starting(str(bundle), "--train")
