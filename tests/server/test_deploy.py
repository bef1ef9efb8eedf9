"""What describes a deployment names only what is there: commands, options, routes, files, variables, extras."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sightline.cli import serve
from sightline.cli._command import words_of
from sightline.core import catalog
from sightline.registering import registry
from sightline.server.door import HEALTH
from sightline.server.settings import ServerSettings
from sightline.server.starting import settings_of


@pytest.fixture
def deploy(root: Path) -> Path:
    return root / "deploy"


def options(words: list[str]) -> ServerSettings:
    """The settings that the words of a container stand for; each must be an option of the command."""
    known = {word.spelt: word for word in words_of(serve.run)}
    pairs: list[tuple[str, str]] = []
    waiting = [part for word in words for part in (word.split("=", 1) if word.startswith("--") else [word])]
    while waiting:
        name = waiting.pop(0)
        assert name in known, name
        pairs.append((name, "" if known[name].kind is bool else waiting.pop(0)))
    limits = [value for name, value in pairs if name == "--limit"]
    said = dict(pairs)
    made = settings_of(
        limits, host=said["--host"], port=int(said["--port"]), tokens=Path(said["--token-file"]),
        open_health="--open-health" in said,
    )  # fmt: skip
    made.check()
    return made


def commands(text: str) -> Iterator[list[str]]:
    """Every `sightline ...` in the comments of a file."""
    for line in text.splitlines():
        if line.startswith("#") and (found := re.search(r"sightline (?=[a-z]+ -)(.*)", line)):
            yield shlex.split(found[1])


def variables(place: Path) -> set[str]:
    return set(re.findall(r"SIGHTLINE_[A-Z]+", place.read_text()))


def test_the_image_is_made_of_what_there_is(deploy: Path, root: Path) -> None:
    text = (deploy / "Dockerfile").read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if line.startswith("COPY") and "--from" not in line:
            assert all((root / word).exists() for word in line.split()[1:-1]), line
    extras = re.search(r"'\.\[([a-z,]+)\]'", text)
    assert extras
    declared = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(extras[1].split(",")) <= set(declared)
    assert not [one for name in extras[1].split(",") for one in declared[name] if one.startswith("torch")]
    entry = yaml.safe_load(text.split("ENTRYPOINT ")[1].splitlines()[0])
    assert entry[0] == "sightline"
    assert entry[1] in catalog.names("cli")
    made = options(yaml.safe_load(text.split('CMD ["--')[1].splitlines()[0].join(['["--', ""])))
    assert made.open_health
    assert made.port == int(re.search(r"EXPOSE (\d+)", text)[1])
    assert re.search(r"localhost|127\.0\.0\.1:(\d+)(/[a-z/]+)", text)[2] in HEALTH  # type: ignore[index]


def test_the_replicas_share_what_they_must(deploy: Path) -> None:
    plain: dict[str, Any] = yaml.safe_load((deploy / "compose.yaml").read_text())
    serving = plain["services"]["serve"]
    made = options(serving["command"])
    assert int(serving["stop_grace_period"][:-1]) > made.drain + made.linger
    assert serving["environment"]["SIGHTLINE_REGISTRY"].startswith("postgresql://")
    assert serving["deploy"]["replicas"] >= 2
    assert plain["services"]["register"]["entrypoint"][1] in catalog.names("cli")
    volumes = {volume.split(":")[0] for service in plain["services"].values() for volume in service.get("volumes", [])}
    assert volumes == set(plain["volumes"])
    assert serving["depends_on"].keys() <= plain["services"].keys()
    assert (deploy / serving["build"]["context"] / serving["build"]["dockerfile"]).is_file()


def test_the_probes_ask_routes_that_are_there(deploy: Path) -> None:
    plain = {one["kind"]: one for one in yaml.safe_load_all((deploy / "kubernetes.yaml").read_text())}
    assert set(plain) == {"Deployment", "Service", "PodDisruptionBudget", "PersistentVolumeClaim"}
    pod = plain["Deployment"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    made = options(container["args"])
    assert made.open_health, "probes carry no token"
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = container[probe]["httpGet"]
        assert asked["path"] in HEALTH
        assert ports[asked["port"]] == made.port
    assert container["livenessProbe"]["httpGet"]["path"].endswith("/live"), "a service that drains is alive"
    assert pod["terminationGracePeriodSeconds"] > made.drain + made.linger
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert set(mounts) == {volume["name"] for volume in pod["volumes"]}
    assert str(made.tokens).startswith(mounts["tokens"])
    labels = plain["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert plain["Service"]["spec"]["selector"].items() <= labels.items()
    assert plain["Service"]["spec"]["ports"][0]["targetPort"] in ports


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "kubernetes.yaml"])
def test_variables_and_commands_exist(deploy: Path, name: str) -> None:
    assert variables(deploy / name) <= {registry.PLACE, registry.BLOBS}
    for words in commands((deploy / name).read_text()):
        assert words[0] in catalog.names("cli"), words
