"""The package is parsed once for all tests about the house, and forgotten after them."""

from collections.abc import Iterator

import pytest

from tests.house._source import tree_of


@pytest.fixture(autouse=True, scope="package")
def _trees() -> Iterator[None]:
    yield
    tree_of.cache_clear()
