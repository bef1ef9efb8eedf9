"""The one place that imports optional libraries and names the extra that brings them."""

from __future__ import annotations

import importlib
import importlib.util
import os
from types import ModuleType

from sightline.core.errors import MissingExtraError

SILENT = {"ORT_DISABLE_TELEMETRY": "1"}  # else ONNX Runtime reports its use, with an identity kept in the home folder

EXTRA_OF = {
    "torch": "train",
    "onnx": "export",
    "onnxscript": "export",
    "onnxruntime": "runtime",
    "matplotlib": "report",
    "tensorboard": "tensorboard",
    "mlflow": "mlflow",
    "wandb": "wandb",
    "timm": "zoo",
    "optuna": "tune",
    "imagecodecs": "io",
    "pi_heif": "io",
    "rawpy": "io",
    "tifffile": "io",
    "pyarrow": "parquet",
    "av": "video",
    "fsspec": "cloud",
    "sklearn": "classic",
    "openvino": "openvino",
    "torch_pruning": "compress",
    "fastapi": "serve",
    "httptools": "serve",
    "prometheus_client": "serve",
    "sqlalchemy": "serve",
    "uvicorn": "serve",
    "pg8000": "postgres",
}


def need(module: str) -> ModuleType:
    """Import a library that an extra brings, or say the exact line that installs it."""
    os.environ.update(SILENT)  # before any of these libraries is loaded, here or in a process that is started from here
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        top = module.split(".")[0]
        if error.name is None or error.name.split(".")[0] != top or top not in EXTRA_OF:
            raise
        raise _missing(top) from error


def expect(module: str) -> None:
    """Say the same where a library that another process will import is not there; this one is spared its weight."""
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError as error:
        raise _missing(module) from error
    if found is None:
        raise _missing(module)


def _missing(top: str) -> MissingExtraError:
    return MissingExtraError(
        f"{top} is not installed. It comes with an extra: pip install 'sightline[{EXTRA_OF[top]}]'"
    )
