"""What the package says it needs is what it needs: extras, pins, licences, version."""

import ast
import re
import sys
import tomllib

from sightline.core.extras import EXTRA_OF
from tests.house._source import ROOT, imported, modules


def bare(line: str) -> str:
    """The name of a library without extras, versions and markers."""
    return re.split(r"[\[<>=!~ ;]", line)[0].lower()


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = {name: {bare(line) for line in lines} for name, lines in PROJECT["optional-dependencies"].items()}
# Copyleft or unfree in code or in their wheels, abandoned, or they install a second copy of a library of ours.
REFUSED = {
    *("ultralytics", "boxmot", "albumentationsx", "albumentations", "imgaug", "pillow-heif", "opencv-python"),
    *("opencv-contrib-python", "fastdup", "pylibjpeg-libjpeg", "alibi-detect", "lightning", "pytorch-lightning"),
    *("psycopg", "psycopg2", "psycopg-binary", "trackers", "norfair", "gradio", "rfdetr", "mmdet", "detectron2"),
}
WHEEL_OF = {"cv2": "opencv-python-headless", "PIL": "pillow", "sklearn": "scikit-learn"}


def _wheel(name: str) -> str:
    return WHEEL_OF.get(name, name.replace("_", "-"))


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split(" ;")[0].split("==") for line in lines if line and not line.startswith("#"))


def test_every_optional_library_is_in_the_extra_that_the_message_names() -> None:
    lost = {name for name, extra in EXTRA_OF.items() if _wheel(name) not in EXTRAS.get(extra, ())}
    assert lost == set()


def test_every_library_that_is_imported_is_declared() -> None:
    core = {bare(line) for line in PROJECT["dependencies"]}
    known = core | set(EXTRA_OF) | {"sightline"}
    found = {
        (name, inside)
        for inside, _, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt)
        for name in imported(node)
        if name not in sys.stdlib_module_names and WHEEL_OF.get(name, name).lower() not in known
    }
    assert found == set()


def test_no_library_is_refused() -> None:
    named = {bare(line) for line in PROJECT["dependencies"]}.union(*EXTRAS.values()) | set(pins())
    assert named & REFUSED == set()


def explained() -> dict[str, str]:
    """The rows of the table of extras, by extra."""
    page = (ROOT / "docs" / "dependencies.md").read_text()
    table = page.split("\n## Extras\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `([a-z-]+)` \|(.*)$", table, re.M))


def test_every_extra_is_explained() -> None:
    rows = explained()
    assert sorted(rows) == sorted(EXTRAS)
    for name, libraries in EXTRAS.items():
        missing = {library for library in libraries if f"`{library}`" not in rows[name].lower()}
        assert missing == set(), name


def test_what_is_reserved_is_not_imported() -> None:
    """`reserved` on the page means that no file of this release imports the library."""
    nodes = [node for _, _, tree in modules() for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    used = {name.lower() for node in nodes for name in imported(node)}
    for name, row in explained().items():
        if "reserved" in row:
            assert {library.replace("-", "_") for library in EXTRAS[name]} & used == set(), name


def test_pins_are_exact_and_name_no_place() -> None:
    text = (ROOT / "constraints.txt").read_text()
    body = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert [line for line in body if not re.fullmatch(r"[a-z0-9._-]+==[0-9][\w.]*( ; .+)?", line)] == []
    assert "://" not in text


def test_every_dependency_that_tests_use_is_pinned() -> None:
    wanted = {bare(line) for line in PROJECT["dependencies"]}
    for extra in (
        "train",
        "export",
        "runtime",
        "report",
        "tensorboard",
        "io",
        "parquet",
        "serve",
        "openvino",
        "compress",
        "postgres",
        "dev",
    ):
        wanted |= EXTRAS[extra]
    assert wanted - set(pins()) == set()


def test_version_is_said_once() -> None:
    import sightline

    assert sightline.__version__ == PROJECT["version"]
    heads = re.findall(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert heads[0] == "Unreleased" or heads[0] == PROJECT["version"]
