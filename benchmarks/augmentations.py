"""Milliseconds an augmentation takes on one core, beside torchvision v2, albumentations and kornia.

    PYTHONPATH=src:PEERS python benchmarks/augmentations.py [--only rotate,flip] [--times 15] [--json out.json]

Each does its own usual call on the same bytes: ours a `Sample` through the public function, torchvision a uint8 tensor,
albumentations an array through the transform, kornia a float tensor through its augmentation with p=1. Medians of CPU
time, interleaved in one process, every library limited to one thread. A peer that is not installed is left out.

Where a peer is ahead it is for one of three reasons. A bare array needs no record: `flip`, `crop` and `pad` cost some
five microseconds more, which boxes to move more than win back (`flip/boxes`). Albumentations looks bytes up through
StringZilla's AVX-512 code, OpenCV's table is slower: `gamma`, and large pictures in `light` and `solarize`. And
`pixelate` averages blocks as published, where `Downscale` picks single pixels.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import time
import warnings
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Labels, Objects
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample

SIZES = ((224, 224), (480, 640))
BOXES = np.array([[10 * n, 8 * n, 60 + 9 * n, 50 + 10 * n] for n in range(8)], np.float32)  # things of the /boxes cases
Call = Callable[[], Any]

# ours with settings of a typical strength, and the peer's transform by name with the same strength; None: it has none
CASES: dict[str, dict[str, Any]] = {
    "flip": {
        "ours": {"chance": 1},
        "tv": ("RandomHorizontalFlip", {"p": 1}),
        "al": ("HorizontalFlip", {}),
        "ko": ("RandomHorizontalFlip", {}),
    },
    "flip_down": {
        "ours": {"chance": 1},
        "tv": ("RandomVerticalFlip", {"p": 1}),
        "al": ("VerticalFlip", {}),
        "ko": ("RandomVerticalFlip", {}),
    },
    "transpose": {"ours": {"chance": 1}, "al": ("Transpose", {})},
    "quarter_turn": {"ours": {}, "al": ("RandomRotate90", {}), "ko": ("RandomRotation90", {"times": (0, 3)})},
    "rotate": {
        "ours": {"border": "fill"},
        "tv": ("RandomRotation", {"degrees": 15, "bil": 1}),
        "al": ("Rotate", {"limit": 15}),
        "ko": ("RandomRotation", {"degrees": 15.0}),
    },
    "affine": {
        "ours": {"border": "fill"},
        "tv": ("RandomAffine", {"degrees": 10, "translate": (0.08, 0.08), "scale": (0.85, 1.15), "shear": 5, "bil": 1}),
        "al": ("Affine", {"scale": (0.85, 1.15), "translate_percent": 0.08, "rotate": (-10, 10), "shear": 5}),
        "ko": ("RandomAffine", {"degrees": 10.0, "translate": (0.08, 0.08), "scale": (0.85, 1.15), "shear": 5.0}),
    },
    "perspective": {
        "ours": {"border": "fill"},
        "tv": ("RandomPerspective", {"distortion_scale": 0.25, "p": 1}),
        "al": ("Perspective", {"scale": (0.05, 0.12)}),
        "ko": ("RandomPerspective", {"distortion_scale": 0.25}),
    },
    "elastic": {
        "ours": {"border": "fill"},
        "tv": ("ElasticTransform", {}),
        "al": ("ElasticTransform", {"alpha": 50, "sigma": 10, "approximate": True}),
        "ko": ("RandomElasticTransform", {}),
    },
    "crop": {
        "ours": {"size": (160, 160)},
        "tv": ("RandomCrop", {"size": 160}),
        "al": ("RandomCrop", {"height": 160, "width": 160}),
        "ko": ("RandomCrop", {"size": (160, 160)}),
    },
    "window": {
        "ours": {"size": (224, 224)},
        "tv": ("RandomResizedCrop", {"size": 224}),
        "al": ("RandomResizedCrop", {"size": (224, 224), "interpolation": 3}),
    },
    "window/fast": {
        "ours": {"size": (224, 224), "antialias": False},
        "tv": ("RandomResizedCrop", {"size": 224, "antialias": False}),
        "al": ("RandomResizedCrop", {"size": (224, 224)}),
        "ko": ("RandomResizedCrop", {"size": (224, 224)}),
    },
    "pad": {
        "ours": {"border": "fill"},
        "tv": ("RandomZoomOut", {"side_range": (1.0, 1.5), "p": 1}),
        "al": ("CropAndPad", {"percent": (0, 0.25), "keep_size": False}),
    },
    "light": {
        "ours": {},
        "tv": ("ColorJitter", {"brightness": 0.2, "contrast": 0.2}),
        "al": ("RandomBrightnessContrast", {}),
        "ko": ("ColorJiggle", {"brightness": 0.2, "contrast": 0.2}),
    },
    "colour": {
        "ours": {},
        "tv": ("ColorJitter", {"brightness": 0.2, "contrast": 0.2, "saturation": 0.3, "hue": 0.03}),
        "al": (
            "ColorJitter",
            {"brightness": (0.8, 1.2), "contrast": (0.8, 1.2), "saturation": (0.7, 1.3), "hue": (-0.03, 0.03)},
        ),
        "ko": ("ColorJiggle", {"brightness": 0.2, "contrast": 0.2, "saturation": 0.3, "hue": 0.03}),
    },
    "hue": {
        "ours": {},
        "tv": ("ColorJitter", {"hue": 0.06}),
        "al": ("HueSaturationValue", {"sat_shift_limit": 0, "val_shift_limit": 0}),
        "ko": ("RandomHue", {"hue": (-0.06, 0.06)}),
    },
    "saturation": {
        "ours": {},
        "tv": ("ColorJitter", {"saturation": 0.6}),
        "ko": ("RandomSaturation", {"saturation": (0.4, 1.6)}),
    },
    "gamma": {"ours": {}, "al": ("RandomGamma", {}), "ko": ("RandomGamma", {"gamma": (0.6, 1.6)})},
    "gray": {
        "ours": {"chance": 1},
        "tv": ("RandomGrayscale", {"p": 1}),
        "al": ("ToGray", {}),
        "ko": ("RandomGrayscale", {}),
    },
    "invert": {
        "ours": {"chance": 1},
        "tv": ("RandomInvert", {"p": 1}),
        "al": ("InvertImg", {}),
        "ko": ("RandomInvert", {}),
    },
    "posterize": {
        "ours": {},
        "tv": ("RandomPosterize", {"bits": 4, "p": 1}),
        "al": ("Posterize", {"num_bits": 4}),
        "ko": ("RandomPosterize", {"bits": 4.0}),
    },
    "solarize": {
        "ours": {},
        "tv": ("RandomSolarize", {"threshold": 160, "p": 1}),
        "al": ("Solarize", {}),
        "ko": ("RandomSolarize", {}),
    },
    "equalise": {
        "ours": {"chance": 1},
        "tv": ("RandomEqualize", {"p": 1}),
        "al": ("Equalize", {"by_channels": True}),
        "ko": ("RandomEqualize", {}),
    },
    "autocontrast": {
        "ours": {"chance": 1},
        "tv": ("RandomAutocontrast", {"p": 1}),
        "al": ("AutoContrast", {}),
        "ko": ("RandomAutoContrast", {}),
    },
    "sharpness": {
        "ours": {},
        "tv": ("RandomAdjustSharpness", {"sharpness_factor": 2, "p": 1}),
        "al": ("Sharpen", {}),
        "ko": ("RandomSharpness", {}),
    },
    "shuffle_channels": {
        "ours": {},
        "tv": ("RandomChannelPermutation", {}),
        "al": ("ChannelShuffle", {}),
        "ko": ("RandomChannelShuffle", {}),
    },
    "drop_channel": {"ours": {"chance": 1}, "al": ("ChannelDropout", {}), "ko": ("RandomChannelDropout", {})},
    "noise": {"ours": {}, "al": ("GaussNoise", {}), "ko": ("RandomGaussianNoise", {"std": 0.03})},
    "shot_noise": {"ours": {"severity": 1}, "al": ("ShotNoise", {})},
    "impulse_noise": {
        "ours": {"severity": 1},
        "al": ("SaltAndPepper", {"amount": (0.03, 0.03)}),
        "ko": ("RandomSaltAndPepperNoise", {"amount": (0.03, 0.031)}),
    },
    "speckle_noise": {
        "ours": {"severity": 1},
        "al": ("MultiplicativeNoise", {"multiplier": (0.85, 1.15), "elementwise": True, "per_channel": True}),
    },
    "blur": {
        "ours": {"deviation": 1.0},
        "tv": ("GaussianBlur", {"kernel_size": 7, "sigma": 1.0}),
        "al": ("GaussianBlur", {"blur_limit": 0, "sigma_limit": (1.0, 1.0)}),
        "ko": ("RandomGaussianBlur", {"kernel_size": (7, 7), "sigma": (1.0, 1.01)}),
    },
    "motion_blur": {
        "ours": {"severity": 1},
        "al": ("MotionBlur", {"blur_limit": (11, 11)}),
        "ko": ("RandomMotionBlur", {"kernel_size": 11, "angle": 45.0, "direction": 0.5}),
    },
    "defocus_blur": {"ours": {"severity": 1}, "al": ("Defocus", {"radius": (3, 3), "alias_blur": 0.1})},
    "glass_blur": {
        "ours": {"severity": 1},
        "al": ("GlassBlur", {"sigma": 0.7, "max_delta": 1, "iterations": 2, "mode": "fast"}),
    },
    "zoom_blur": {
        "ours": {"severity": 1},
        "al": ("ZoomBlur", {"max_factor": (1.11, 1.11), "step_factor": (0.01, 0.01)}),
    },
    "rain": {
        "ours": {},
        "al": ("RandomRain", {}),
        "ko": ("RandomRain", {"number_of_drops": (100, 200), "drop_height": (5, 20), "drop_width": (-5, 5)}),
    },
    "snow": {"ours": {}, "al": ("RandomSnow", {"method": "texture"}), "ko": ("RandomSnow", {})},
    "fog": {"ours": {}, "al": ("RandomFog", {})},
    "frost": {"ours": {}},
    "spatter": {"ours": {"severity": 2}, "al": ("Spatter", {"mode": "rain"})},
    "glare": {"ours": {}, "al": ("RandomSunFlare", {"method": "physics_based"})},
    "shadow": {"ours": {}, "al": ("RandomShadow", {}), "ko": ("RandomLinearCornerIllumination", {})},
    "low_light": {"ours": {}},
    "occlusion": {"ours": {}, "al": ("CoarseDropout", {"num_holes_range": (3, 3)})},
    "erase": {
        "ours": {"chance": 1},
        "tv": ("RandomErasing", {"p": 1}),
        "al": ("Erasing", {}),
        "ko": ("RandomErasing", {}),
    },
    "jpeg_compression": {
        "ours": {"severity": 1},
        "tv": ("JPEG", {"quality": 25}),
        "al": ("ImageCompression", {"quality_range": (25, 25)}),
        "ko": ("RandomJPEG", {"jpeg_quality": 25.0}),
    },
    "webp_compression": {
        "ours": {"severity": 1},
        "al": ("ImageCompression", {"quality_range": (25, 25), "compression_type": "webp"}),
    },
    "pixelate": {"ours": {"severity": 1}, "al": ("Downscale", {"scale_range": (0.6, 0.6)})},
    "mixup": {"ours": {}, "tv": ("MixUp", {"num_classes": 2}), "ko": ("RandomMixUpV2", {})},
    "cutmix": {"ours": {}, "tv": ("CutMix", {"num_classes": 2}), "ko": ("RandomCutMixV2", {})},
    "flip/boxes": {"ours": {"chance": 1}, "tv": ("RandomHorizontalFlip", {"p": 1}), "al": ("HorizontalFlip", {})},
    "rotate/boxes": {"ours": {}, "tv": ("RandomRotation", {"degrees": 15, "bil": 1}), "al": ("Rotate", {"limit": 15})},
    "rand_augment": {"ours": {}, "tv": ("RandAugment", {})},
    "trivial_augment": {"ours": {}, "tv": ("TrivialAugmentWide", {})},
}


def ours(name: str, settings: dict[str, Any], pixels: np.ndarray) -> Call:
    move = catalog.find("augmentations", name.partition("/")[0])
    truth = Objects(BOXES, np.zeros(len(BOXES), np.int64), ("a",)) if name.endswith("/boxes") else Labels(("a",))
    sample = Sample("s", (ArrayImage(pixels),), truth)
    other = Sample("o", (ArrayImage(np.ascontiguousarray(pixels[::-1])),), Labels(("b",)))
    rng = np.random.default_rng(0)
    if name in ("mixup", "cutmix"):
        return lambda: move(sample, rng, others=lambda count: [other] * count, **settings)
    return lambda: move(sample, rng, **settings)


def torchvision(name: str, settings: dict[str, Any], pixels: np.ndarray, boxes: bool) -> Call:
    import torch
    from torchvision.transforms import v2

    torch.set_num_threads(1)
    settings = dict(settings)
    if settings.pop("bil", None):
        settings["interpolation"] = v2.InterpolationMode.BILINEAR
    tensor = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
    move = getattr(v2, name)(**settings)
    if boxes:
        from torchvision import tv_tensors

        picture = tv_tensors.Image(tensor)
        places = tv_tensors.BoundingBoxes(torch.from_numpy(BOXES), format="XYXY", canvas_size=pixels.shape[:2])
        return lambda: move(picture, places)
    if name in ("MixUp", "CutMix"):
        pair, labels = torch.stack([tensor, tensor.flip(1)]), torch.tensor([0, 1])
        return lambda: move(pair, labels)  # two pictures a call: halved where it is timed
    return lambda: move(tensor)


def albumentations(name: str, settings: dict[str, Any], pixels: np.ndarray, boxes: bool) -> Call:
    import albumentations as library

    cv2.setNumThreads(1)
    move = getattr(library, name)(p=1, **settings)
    if boxes:
        whole = library.Compose([move], bbox_params=library.BboxParams(format="pascal_voc", label_fields=["labels"]))
        return lambda: whole(image=pixels, bboxes=BOXES, labels=[0] * len(BOXES))
    return lambda: move(image=pixels)["image"]


def kornia(name: str, settings: dict[str, Any], pixels: np.ndarray, boxes: bool) -> Call:
    import kornia.augmentation as library
    import torch

    torch.set_num_threads(1)
    tensor = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None].float() / 255
    move = getattr(library, name)(p=1.0, **settings)
    if name in ("RandomMixUpV2", "RandomCutMixV2"):
        pair, labels = torch.cat([tensor, tensor.flip(2)]), torch.tensor([0, 1])
        return lambda: move(pair, labels)
    return lambda: move(tensor)


MAKERS = {"torchvision": ("tv", torchvision), "albumentations": ("al", albumentations), "kornia": ("ko", kornia)}


def median(calls: dict[str, Call], times: int) -> dict[str, float]:
    """Milliseconds of each, taking turns."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(times):
        for name, call in calls.items():
            start = time.process_time()
            rounds = 0
            while time.process_time() - start < 0.004 or rounds < 2:
                call()
                rounds += 1
            taken[name].append((time.process_time() - start) / rounds * 1000)
    return {name: statistics.median(values) for name, values in taken.items()}


def photograph(size: tuple[int, int]) -> np.ndarray:
    from skimage import data

    return cv2.resize(data.astronaut(), size[::-1], interpolation=cv2.INTER_AREA)


def machine() -> str:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    found = []
    for name in ("numpy", "opencv-python-headless", "torch", "torchvision", "albumentations", "kornia"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return f"{platform.machine()}, Python {platform.python_version()}, {', '.join(found)}, commit {commit.strip()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NO_ALBUMENTATIONS_UPDATE"):
        os.environ.setdefault(name, "1")
    warnings.simplefilter("ignore")
    print(machine())
    rows = []
    for name in given.only.split(",") if given.only else CASES:
        for size in SIZES:
            pixels = photograph(size)
            calls = {"ours": ours(name, CASES[name]["ours"], pixels)}
            for peer, (key, make) in MAKERS.items():
                if key in CASES[name]:
                    try:
                        calls[peer] = make(*CASES[name][key], pixels, name.endswith("/boxes"))
                        calls[peer]()
                    except Exception as error:  # a peer that cannot run is said, not timed
                        print(f"  {peer} {CASES[name][key][0]}: {type(error).__name__}: {str(error)[:100]}")
                        calls.pop(peer, None)
            row = median(calls, given.times)
            for peer in ("torchvision", "kornia"):
                if name in ("mixup", "cutmix") and peer in row:
                    row[peer] /= 2
            best = min((value for peer, value in row.items() if peer != "ours"), default=float("nan"))
            ratio = best / row["ours"]
            rows.append({"name": name, "size": size, "best_over_ours": ratio, **row})
            shown = "  ".join(f"{peer} {value:8.3f}" for peer, value in row.items())
            mark = "" if not ratio < 1 else "  SLOWER"
            print(f"{name:18} {size[0]}x{size[1]}  {shown}  best/ours {ratio:5.2f}{mark}", flush=True)
    if given.json:
        given.json.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
