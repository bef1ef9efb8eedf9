"""Tokens that are kept to some models: a service for several tenants, none of whom learns of the others."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sightline.core.errors import RegistryError, ServingError, SettingsError
from sightline.registering.registry import open_registry
from sightline.server.reach import hidden, hold, patterns, reaches
from sightline.server.tokens import Keeper, new_token, read_tokens
from tests.server.conftest import Running, make_bundle

ALL = ("infer", "read", "train", "admin")


def test_names_are_reached_by_their_patterns() -> None:
    assert reaches((), "anything")
    assert reaches(("acme-*", "parts"), "acme-doors")
    assert reaches(("acme-*", "parts"), "parts")
    assert not reaches(("acme-*", "parts"), "parts-2")
    assert not reaches(("acme-*",), "Acme-doors")


@pytest.mark.parametrize("word", ["", "a b", "[ab]", "a?", "../x", "a/b", "é", "x" * 101])
def test_a_pattern_has_letters_and_stars(word: str) -> None:
    with pytest.raises(SettingsError, match="--only"):
        patterns([word])


@pytest.mark.parametrize(
    "path",
    ["/models/acme-a/predict", "/v2/models/acme-a", "/v2/models/acme-a/versions/1/infer",
     "/admin/models/acme-a/promote", "/datasets/acme-a", "/datasets/acme-a/pictures", "/models",
     "/datasets", "/trainings", "/trainings/1", "/v2"],
)  # fmt: skip
def test_routes_of_its_models_and_lists_are_open_to_it(path: str) -> None:
    hold(("acme-*",), path)


@pytest.mark.parametrize(
    ("path", "code"),
    [("/models/other/predict", "not_found"), ("/v2/models/other", "not_found"), ("/datasets/other", "not_found"),
     ("/admin/models/other/promote", "not_found"), ("/models/x/acme-a", "not_found"), ("/metrics", "forbidden"),
     ("/state", "forbidden"), ("/admin/refresh", "forbidden"), ("/jobs", "forbidden"), ("/jobs/1", "forbidden"),
     ("/models/%61cme-a/predict", "forbidden"), ("/else", "forbidden")],
)  # fmt: skip
def test_no_other_route_is(path: str, code: str) -> None:
    with pytest.raises(ServingError) as error:
        hold(("acme-*",), path)
    assert error.value.code == code
    hold((), path)


def test_what_is_missing_is_told_without_the_names_of_others() -> None:
    error = RegistryError("no model is called 'x' here. Models: secret.")
    assert "secret" not in str(hidden(("acme-*",), error))
    assert hidden((), error) is error
    refused = ServingError("queue_full", "wait")
    assert hidden(("acme-*",), refused) is refused


def test_a_file_written_before_there_was_such_a_thing_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    made, secret = new_token(path, ["read"])
    path.write_text(path.read_text().replace(',\n  "only": []', ""))
    assert '"only"' not in path.read_text()
    assert read_tokens(path) == [made]
    assert Keeper(path).identify(secret).only == ()


@pytest.fixture
def tenants(tmp_path: Path, starting: Callable[..., Running]) -> Running:
    """Two models of two tenants, and a token for each."""
    bundle = make_bundle(tmp_path / "colours")
    with open_registry(tmp_path / "registry") as registry:
        for name in ("acme-colours", "bolt-colours"):
            registry.register(name, bundle)
    tokens = {
        name: new_token(tmp_path / "tokens.json", ALL, name, only)[1]
        for name, only in {"acme": ["acme-*"], "bolt": ["bolt-*"], "all": []}.items()
    }
    return starting("--workers", "1", "--token-file", "tokens.json", tokens=tokens)


def test_two_tenants_share_a_service_and_see_nothing_of_each_other(tenants: Running, picture: bytes) -> None:
    files = {"picture": ("a.png", picture)}
    with tenants.client("acme") as acme, tenants.client("all") as everyone:
        assert [row["name"] for row in acme.get("/models").json()["models"]] == ["acme-colours"]
        assert len(everyone.get("/models").json()["models"]) == 2
        assert acme.post("/models/acme-colours/predict", files=files).json()["decision"]["best"] == "green"
        assert acme.get("/v2/models/acme-colours").status_code == 200
        for there, route in (("bolt-colours", "bolt-colours"), ("none", "acme-none")):
            for method, path in (
                ("GET", f"/models/{route}"), ("GET", f"/models/{route}/versions/1"), ("GET", f"/v2/models/{route}"),
                ("POST", f"/models/{route}/predict"), ("POST", f"/v2/models/{route}/infer"),
                ("POST", f"/admin/models/{route}/promote"), ("PUT", f"/admin/models/{route}/traffic"),
            ):  # fmt: skip
                if method == "GET":
                    answer = acme.get(path)
                elif path.endswith("predict"):
                    answer = acme.post(path, files=files)
                else:
                    plain = {"which": 1, "traffic": None} if "admin" in path else {"inputs": []}
                    if "infer" in path and there == "none":
                        continue  # refused for its body before the model is looked for
                    answer = acme.request(method, path, json=plain)
                assert answer.status_code in (400, 404), (path, answer.text)
                assert "bolt" not in answer.text, path
        for path in ("/metrics", "/state", "/jobs"):
            assert acme.get(path).status_code == 403
        assert everyone.get("/state").status_code == 200
        several = acme.post("/models/acme-none/predict", files=[("a", ("a.png", picture)), ("b", ("b.png", picture))])
        assert "bolt" not in several.text
