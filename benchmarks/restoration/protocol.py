"""The published protocols of restoration: which pictures, how they are damaged, what is measured.

    PYTHONPATH=src python benchmarks/restoration/protocol.py [--data FOLDER] [--only WORD]

The folder (or that in SIGHTLINE_DATA) holds `denoise_gray/Set12` and `Set68`, `sr/Set5/image_SRF_2` to `_4` and
`sr/Set14/image_SRF_2`, `jpeg/classic5` and `polyu_real_noise/CroppedImages`. Printed is what doing nothing reaches
(for larger pictures: bicubic interpolation), beside what papers print for it.

- Gaussian noise: added to gray pictures without rounding or clipping, drawn from a seed of set, level and picture.
- Larger: MATLAB's antialiased bicubic makes the small picture; PSNR of the Y of ITU-R BT.601 (16 to 235), borders as
  wide as the scale left out.
- JPEG: the gray picture is saved at the quality and read again.
- Real noise: PolyU's crops against the mean of 500 shots, PSNR of sRGB over the three channels.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from sightline.core.bicubic import larger, smaller
from sightline.core.chance import generator

Restore = Callable[[np.ndarray], np.ndarray]  # rows, columns, channels in the depth given, which is kept


@dataclass(frozen=True)
class Case:
    """A damaged picture and what it was; `border` pixels on each side are not measured."""

    name: str
    given: np.ndarray
    wanted: np.ndarray
    border: int = 0
    luma: bool = False

    def decibels(self, restored: np.ndarray) -> float:
        """The PSNR of what was made of it, rounded to 8 bits as papers do."""
        made = np.clip(np.rint(restored * 255.0 if restored.dtype.kind == "f" else restored), 0, 255)
        true = self.wanted.astype(np.float64)
        if self.luma:
            made, true = np.rint(luma(made)), np.rint(luma(true))
        inside = slice(self.border, -self.border or None)
        return -10 * math.log10(float(np.mean((made[inside, inside] - true[inside, inside]) ** 2)) / 255**2)


@dataclass(frozen=True)
class Protocol:
    """A set of cases; `plain` is what papers print for doing nothing, `published` what others reach."""

    name: str
    task: str  # denoise | deblock | enlarge2 | ...
    channels: int
    cases: Callable[[Path], Iterator[Case]]
    plain: float | None = None
    published: dict[str, float] = field(default_factory=dict)
    scale: int = 1


def luma(pixels: np.ndarray) -> np.ndarray:
    """The Y of ITU-R BT.601 of RGB (16 to 235), one channel; gray stays as it is."""
    if pixels.shape[-1] == 1:
        return pixels
    return np.asarray(pixels @ np.array([65.481, 128.553, 24.966]) / 255 + 16)[..., None]


def read(path: Path, gray: bool = False) -> np.ndarray:
    """A picture as uint8 RGB, or gray."""
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE if gray else cv2.IMREAD_COLOR)
    if pixels is None:
        raise FileNotFoundError(f"{path}: no picture")
    return pixels[..., None] if gray else np.ascontiguousarray(pixels[..., ::-1])


def noisy(folder: str, level: float) -> Callable[[Path], Iterator[Case]]:
    """Gray pictures of a folder with normal noise of `level` of 255, as float32."""

    def cases(data: Path) -> Iterator[Case]:
        for index, path in enumerate(_pictures(data / "denoise_gray" / folder)):
            clean, chance = read(path, gray=True), generator("protocol", folder, str(level), index)
            given = (clean + chance.normal(0, level, clean.shape)) / 255
            yield Case(path.stem, given.astype(np.float32), clean)

    return cases


def small(folder: str, scale: int) -> Callable[[Path], Iterator[Case]]:
    """Colour pictures (gray ones in three equal channels), made smaller as MATLAB does."""

    def cases(data: Path) -> Iterator[Case]:
        for path in _pictures(data / "sr" / folder / f"image_SRF_{scale}", "*_HR.png"):
            whole = read(path)
            rows, columns = (side // scale * scale for side in whole.shape[:2])
            clean = np.ascontiguousarray(whole[:rows, :columns])
            yield Case(path.stem, smaller(clean, scale), clean, border=scale, luma=True)

    return cases


def compressed(quality: int) -> Callable[[Path], Iterator[Case]]:
    """The gray pictures of classic5 through a JPEG file."""

    def cases(data: Path) -> Iterator[Case]:
        for path in _pictures(data / "jpeg" / "classic5", "*.bmp"):
            clean = read(path, gray=True)
            _, coded = cv2.imencode(".jpg", clean, [cv2.IMWRITE_JPEG_QUALITY, quality])
            yield Case(path.stem, cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)[..., None], clean)

    return cases


def photographed(data: Path) -> Iterator[Case]:
    """Real crops, each with the mean of many shots of the same."""
    for path in _pictures(data / "polyu_real_noise" / "CroppedImages", "*_real.JPG"):
        yield Case(path.stem, read(path), read(path.with_name(path.name.replace("_real", "_mean"))))


def _pictures(folder: Path, pattern: str = "*.png") -> list[Path]:
    found = sorted(folder.glob(pattern))
    if not found:
        raise FileNotFoundError(f"no {pattern} in {folder}")
    return found


_BSD = {
    15: {"BM3D": 31.07, "TNRD": 31.42, "DnCNN": 31.73},
    25: {"BM3D": 28.57, "TNRD": 28.92, "DnCNN": 29.23},
    50: {"BM3D": 25.62, "TNRD": 25.97, "DnCNN": 26.23},
}
_SET12 = {15: {"DnCNN": 32.86}, 25: {"DnCNN": 30.44}, 50: {"DnCNN": 27.18}}
_SET5 = {
    2: (33.66, {"TNRD": 36.86, "VDSR": 37.53, "DnCNN-3": 37.58}),
    3: (30.39, {"TNRD": 33.18, "VDSR": 33.66, "DnCNN-3": 33.75}),
    4: (28.42, {"TNRD": 30.85, "VDSR": 31.35, "DnCNN-3": 31.40}),
}
_CLASSIC = {
    10: {"AR-CNN": 29.03, "DnCNN-3": 29.40},
    20: {"AR-CNN": 31.15, "DnCNN-3": 31.63},
    30: {"AR-CNN": 32.51, "DnCNN-3": 32.91},
    40: {"AR-CNN": 33.34, "DnCNN-3": 33.77},
}

PROTOCOLS = (
    *(Protocol(f"BSD68 sigma {n}", "denoise", 1, noisy("Set68", n), None, said) for n, said in _BSD.items()),
    *(Protocol(f"Set12 sigma {n}", "denoise", 1, noisy("Set12", n), None, said) for n, said in _SET12.items()),
    *(Protocol(f"Set5 x{n}", f"enlarge{n}", 3, small("Set5", n), plain, said, n) for n, (plain, said) in _SET5.items()),
    Protocol("Set14 x2", "enlarge2", 3, small("Set14", 2), 30.24, {"TNRD": 32.51, "VDSR": 33.02}, 2),
    *(
        Protocol(f"classic5 quality {n}", "deblock", 1, compressed(n), 27.82 if n == 10 else None, said)
        for n, said in _CLASSIC.items()
    ),
    Protocol("PolyU", "denoise", 3, photographed),
)


def plain(protocol: Protocol) -> Restore:
    """Doing nothing, or bicubic interpolation where the answer is larger."""
    return (lambda given: larger(given, protocol.scale)) if protocol.scale > 1 else (lambda given: given)


def mean_decibels(protocol: Protocol, data: Path, restore: Restore) -> float:
    """The mean over the pictures of a set."""
    return float(np.mean([case.decibels(restore(case.given)) for case in protocol.cases(data)]))


def parser(text: str) -> argparse.ArgumentParser:
    """The arguments that every benchmark of restoration takes."""
    made = argparse.ArgumentParser(description=text.splitlines()[0])
    made.add_argument("--data", type=Path, default=os.environ.get("SIGHTLINE_DATA"))
    made.add_argument("--only", default="", help="protocols whose names hold this word")
    return made


def folder_of(given: argparse.Namespace) -> Path | None:
    """The folder of test pictures, or a line that says there is none."""
    if given.data is None or not Path(given.data).is_dir():
        print("no folder of test pictures: name one with --data or SIGHTLINE_DATA")
        return None
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    where = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"{where}, python {platform.python_version()}, cv2 {cv2.__version__}, {commit.stdout.strip()}")
    return Path(given.data)


def main() -> None:
    given = parser(str(__doc__)).parse_args()
    data = folder_of(given)
    for protocol in PROTOCOLS if data else ():
        if given.only in protocol.name:
            reached = mean_decibels(protocol, Path(str(data)), plain(protocol))
            said = "" if protocol.plain is None else f"printed in papers {protocol.plain:.2f}"
            print(f"{protocol.name:20} {reached:6.2f} dB {said}", flush=True)


if __name__ == "__main__":
    main()
