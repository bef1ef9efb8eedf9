"""One small network for all tests of this folder."""

from pathlib import Path

import pytest

from tests.enhancing.toys import weights as made
from tests.tasks.lessons import shared_folder


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_folder(tmp_path_factory) / "enhancing"


@pytest.fixture(scope="session")
def weights(base: Path) -> Path:
    return made(base)
