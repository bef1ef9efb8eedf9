"""Every listener: opens in a folder, hears a run, closes, is continued; says what to install where it cannot."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from sightline.core import catalog
from sightline.core.extras import EXTRA_OF
from sightline.core.progress import Event

FACTS = {
    "task": "any",
    "model": "small",
    "parameters": 5,
    "settings": {"rate": 0.1, "odd": {}},
    "options": {"size": None},
}
ROW = {"loss": 0.5, "rate": 0.1, "parts": {"names": 0.5}, "val": {"score": 0.7, "none": None}, "seconds": 1.0}
NAMES = catalog.names("listeners")


def _installed(name: str) -> bool:
    needs = catalog.find("listeners", name).NEEDS
    return not needs or importlib.util.find_spec(needs) is not None


@pytest.mark.parametrize("name", NAMES)
def test_it_needs_nothing_or_what_an_extra_brings(name: str) -> None:
    needs = catalog.find("listeners", name).NEEDS
    assert needs == "" or needs in EXTRA_OF


@pytest.mark.parametrize("name", [name for name in NAMES if _installed(name)])
def test_it_hears_a_run_and_its_continuation(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    sizes = []
    for part in range(2):
        listener = catalog.find("listeners", name).open(folder, FACTS)
        listener(Event("start", "", FACTS))
        listener(Event("progress", "", {"done": 1, "total": 2}))
        listener(Event("epoch", "", {"epoch": part + 1, **ROW}))
        listener(Event("an event of tomorrow", "", {"what": float("nan")}))
        if part:
            listener(Event("done", ""))
        listener.close()
        sizes.append(sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()))
    assert 0 < sizes[0] < sizes[1]


@pytest.mark.parametrize("name", [name for name in NAMES if catalog.find("listeners", name).NEEDS])
def test_without_its_library_it_says_what_to_install(name: str, tmp_path: Path) -> None:
    needs = catalog.find("listeners", name).NEEDS
    code = (
        "import sys\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] == {needs!r}: raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Block())\n"
        "from pathlib import Path\n"
        "from sightline.core.errors import MissingExtraError\n"
        f"from sightline.listeners.{name} import open\n"
        "try:\n"
        "    open(Path('run'), {})\n"
        "except MissingExtraError as error:\n"
        "    print(error.message)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith(f"pip install 'sightline[{EXTRA_OF[needs]}]'")
