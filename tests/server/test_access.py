"""Who gets in: every route against every token, under every name, from every page."""

import re
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from sightline.cli import main
from sightline.core.errors import SettingsError
from sightline.server.settings import ServerSettings
from sightline.server.tokens import SCOPES, new_token, revoke_token

from .conftest import Running, Start

PAGES = ("/", "/api", "/openapi.json", "/favicon.ico", "/assets/page.js", "/assets/style.css")


def routes(client: httpx2.Client) -> list[tuple[str, str, str]]:
    """Method, path and scope of all that the service says it has, and its pages."""
    described: dict[str, Any] = client.get("/openapi.json").json()
    found = [
        (method.upper(), re.sub(r"\{version\}|\{which\}", "1", path).replace("{name}", "colours"), said["x-scope"])
        for path, methods in described["paths"].items()
        for method, said in methods.items()
    ]
    own = [("GET", path, "read" if path == "/openapi.json" else "") for path in PAGES]
    return [*found, *own, ("GET", "/no/such/route", "read"), ("POST", "/admin/no/such", "admin")]


def test_every_route_for_every_token(service: Running) -> None:
    with service.client() as client:
        every = routes(client)
        assert len(every) > 25
        assert {scope for _, _, scope in every} == {"", *SCOPES}
    for name in (*SCOPES, "none", "wrong"):
        with service.client(name) as client:
            if name == "wrong":
                client.headers["Authorization"] = f"Bearer {service.tokens['all'][:-1]}x"
            for method, path, scope in every:
                status = client.request(method, path).status_code
                wanted = 401 if name in ("none", "wrong") else 403 if scope not in ("", name) else None
                assert status == wanted if wanted else status not in (401, 403), (method, path, name, status)


def test_a_browser_may_give_the_token_as_a_password(service: Running) -> None:
    with httpx2.Client(base_url=service.base, auth=("anybody", service.tokens["read"])) as client:
        assert client.get("/").status_code == 200
        assert client.get("/models").status_code == 200
    with httpx2.Client(base_url=service.base) as client:
        reply = client.get("/")
        assert reply.status_code == 401
        assert "Basic" in reply.headers["www-authenticate"]
        for value in ("Basic !!!", "Basic", "Bearer", "Digest x", "bearer", "Basic " + "A" * 900):
            assert client.get("/models", headers={"Authorization": value}).status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "a b", "127.0.0.1@evil", "[::1"])
def test_a_name_that_is_not_ours_gets_no_answer(service: Running, host: str) -> None:
    with service.client() as client:
        assert client.get("/models", headers={"Host": host}).status_code in (400, 403)
        assert client.get("/models", headers={"Host": f"localhost:{service.port}"}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1"])
def test_a_page_of_another_origin_gets_no_answer(service: Running, origin: str) -> None:
    with service.client() as client:
        reply = client.post("/admin/refresh", headers={"Origin": origin})
        assert reply.status_code == 403
        assert "access-control-allow-origin" not in reply.headers
        assert client.get("/models", headers={"Origin": service.base}).status_code == 200


def test_a_token_that_is_taken_away_stops_working_while_the_service_runs(service: Running, tmp_path: Path) -> None:
    file = service.log.parent / "tokens.json"
    made, secret = new_token(file, ["read"], "to go")
    with httpx2.Client(base_url=service.base, headers={"Authorization": f"Bearer {secret}"}) as client:
        until = time.monotonic() + 5
        while client.get("/models").status_code != 200 and time.monotonic() < until:
            time.sleep(0.1)
        assert client.get("/models").status_code == 200
        revoke_token(file, made.id)
        while client.get("/models").status_code == 200 and time.monotonic() < until:
            time.sleep(0.1)
        assert client.get("/models").status_code == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", "10.0.0.1", ""])
def test_another_address_without_tokens_is_refused(host: str) -> None:
    with pytest.raises(SettingsError, match="sightline token new"):
        ServerSettings(host=host).check()
    ServerSettings(host=host, tokens=Path("tokens.json")).check()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.1.2.3"])
def test_this_machine_alone_needs_none(host: str) -> None:
    ServerSettings(host=host).check()
    assert "localhost" in ServerSettings(host=host).names


def test_a_host_may_be_a_name_or_an_address() -> None:
    settings = ServerSettings(hosts=("vision.example.org", "10.0.0.1", "::1", "[2001:db8::1]"))
    settings.check()
    assert {"vision.example.org", "10.0.0.1", "::1"} < settings.names


def test_open_health_says_yes_or_no_and_opens_nothing_else(starting: Start, bundle: Path, tmp_path: Path) -> None:
    new_token(tmp_path / "tokens.json", ["infer"])
    running = starting(
        str(bundle), "--workers", "1", "--token-file", "tokens.json", "--open-health", "--limit", "rate=2",
        "--limit", "linger=0",
    )  # fmt: skip
    with httpx2.Client(base_url=running.base) as client:
        for path in ("/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"):
            assert client.get(path, headers={"Host": "10.1.2.3:8000"}).status_code == 200
        for path in ("/models", "/metrics", "/state", "/", "/v2", "/health/other"):
            assert client.get(path).status_code == 401
    _, secret = new_token(tmp_path / "more.json", ["read"])
    (tmp_path / "tokens.json").write_bytes((tmp_path / "more.json").read_bytes())
    with httpx2.Client(base_url=running.base, headers={"Authorization": f"Bearer {secret}"}) as client:
        until = time.monotonic() + 5
        while client.get("/models").status_code == 401 and time.monotonic() < until:
            time.sleep(0.1)
        replies = [client.get("/models") for _ in range(8)]
    refused = [reply for reply in replies if reply.status_code == 429]
    assert refused
    assert all(int(reply.headers["retry-after"]) >= 1 for reply in refused)
    assert all('"token";r=' in reply.headers["ratelimit"] for reply in refused)
    assert refused[0].json()["code"] == "rate"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--jobs", "."), "--jobs goes with a registry, not with bundles"),
        (("--limit", "job_workers=-1"), "job_workers = -1: must be from 0 to 64"),
        (("--set", "backend=vulkan"), "backend 'vulkan': must be auto, fastest"),
        (("--set", "allow=-1"), "allow = -1"),
        (("--allow-urls", "https://pictures.example.org/"), "--allow-urls https://pictures.example.org/: must be"),
        (("--allow-host", "vision.example.org:8000"), "--allow-host vision.example.org:8000: must be a host alone"),
        (("--allow-host", "10.0.0.1:8000"), "--allow-host 10.0.0.1:8000: must be a host alone"),
    ],
)
def test_a_wrong_word_is_one_line_before_anything_is_started(
    words: tuple[str, ...], said: str, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", str(bundle), "--port", "0", *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error[settings]: ")
    assert said in error
    assert error.count("\n") == 1


def test_what_is_no_bundle_and_a_log_without_a_place_are_named(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes").write_text("no bundle")
    assert main(["serve", str(tmp_path / "notes")]) == 2
    assert f"error[bundle]: '{tmp_path / 'notes'}' cannot be read as a bundle." in capsys.readouterr().err
    assert main(["serve", str(bundle), "--port", "0", "--log", str(tmp_path / "notes" / "log")]) == 2
    refused = f"error[storage]: could not write {tmp_path / 'notes' / 'log'}: a file stands where a folder should be."
    assert refused in capsys.readouterr().err
