"""Heavy libraries load where they are used, never because a module was imported."""

import ast

import pytest

from tests.house._source import at_import, imported, modules, room

HEAVY = {
    *("accelerate", "av", "captum", "cv2", "diffusers", "fastapi", "fsspec", "imageio", "IPython", "jinja2", "kornia"),
    *("matplotlib", "mlflow", "monai", "nibabel", "nicegui", "numba", "onnx", "onnxruntime", "onnxscript", "openvino"),
    *("optuna", "pandas", "PIL", "pycocotools", "pydantic", "pydicom", "rasterio", "ray", "rich", "safetensors"),
    *("scipy", "shapely", "SimpleITK", "skimage", "sklearn", "sqlalchemy", "supervision", "tensorboard", "tifffile"),
    *("timm", "torch", "torchao", "torchvision", "transformers", "typer", "usearch", "uvicorn", "wandb"),
}
# Rooms whose every file is a network or its training, loaded by the catalog only when asked for by name.
TORCH_ROOMS = {"compressing", "heads", "losses", "models", "optimisers", "training"}
# Rooms of pixels, of which one file is loaded when its entry is used.
PIXEL_ROOMS = {"augmentations", "checks", "features", "filters", "finders", "matchers", "overlays", "sources"}


def heavy(inside: str, tree: ast.Module) -> list[str]:
    allowed = {"torch"} if room(inside) in TORCH_ROOMS else {"cv2"} if room(inside) in PIXEL_ROOMS else set()
    if inside.endswith("__init__.py"):
        allowed = set()
    return [
        f"{inside}:{node.lineno} imports {name}"
        for node in at_import(tree)
        for name in imported(node)
        if name in HEAVY - allowed
    ]


def test_nothing_heavy_is_imported_at_the_top() -> None:
    found = [line for inside, _, tree in modules() for line in heavy(inside, tree)]
    assert found == [], "import it inside the function that uses it"


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        ("tasks/planted.py", "import torch"),
        ("core/planted.py", "import cv2"),
        ("core/planted.py", "try:\n    from scipy import ndimage\nexcept ImportError:\n    pass"),
        ("models/__init__.py", "import torch.nn"),
        ("augmentations/planted.py", "import torch"),
        ("losses/planted.py", "class A:\n    from sklearn import svm"),
    ],
)
def test_a_planted_import_is_caught(inside: str, text: str) -> None:
    assert heavy(inside, ast.parse(text))


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        ("models/planted.py", "import torch"),
        ("filters/planted.py", "import cv2"),
        ("tasks/planted.py", "def f():\n    import torch"),
        ("tasks/planted.py", "if TYPE_CHECKING:\n    import torch"),
    ],
)
def test_an_import_in_its_place_is_let_through(inside: str, text: str) -> None:
    assert heavy(inside, ast.parse(text)) == []
