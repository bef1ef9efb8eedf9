"""Tools that no extra of ours brings: found where they are installed, else told how to get them."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from sightline.core.errors import MissingExtraError
from sightline.core.task import Arrays, Run


def tool(module: str, how: str) -> Any:
    """The library, or the one line that says how to get it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(f"{module.split('.')[0]} is not installed. {how}") from error


def one_by_one(run: Run) -> Run:
    """A run of any number of rows from one that takes a single row."""

    def rows(arrays: Arrays) -> Arrays:
        count = min(len(array) for array in arrays.values())
        each = [run({name: array[row : row + 1] for name, array in arrays.items()}) for row in range(count)]
        return {name: np.concatenate([one[name] for one in each]) for name in each[0]}

    return rows
