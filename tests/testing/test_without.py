"""Children really lack what they must lack."""

import pytest

from sightline.testing.without import run_without


def test_the_library_is_gone_and_the_rest_is_there() -> None:
    code = (
        "import sys, json\ntry:\n import scipy\nexcept ModuleNotFoundError as error:\n print(error.name, sys.argv[1])"
    )
    assert run_without(("scipy",), code, "word").split() == ["scipy", "word"]


def test_what_the_child_says_comes_back() -> None:
    with pytest.raises(AssertionError, match="No module named 'torch'"):
        run_without(("torch",), "import torch.nn")
