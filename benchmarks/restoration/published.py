"""A network learnt as papers learn theirs, to compare on their terms: Train400, one level of damage; not shipped.

    PYTHONPATH=src python benchmarks/restoration/published.py [--data FOLDER] [--out FOLDER] [--minutes 60] [--part 1]

Gray denoising at sigma 25 is learnt on Train400 and measured on BSD68 and Set12; deblocking of quality 10 on the same
pictures, measured on classic5; enlarging twice on them too, measured on the luma of Set5. The folder of data is that of
protocol.py, with `denoise_gray/train`. Stopped at any moment, by the clock or otherwise, the same command continues;
each job says how far it is and what it reaches so far. The whole takes hours; `--part` learns for a part of the steps.
Those pictures may be used for research alone, so that nothing learnt here is shipped.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

sys.path[:0] = [str(Path(__file__).parent)]
import damage  # noqa: E402 - after the path
import protocol  # noqa: E402
import train  # noqa: E402

SIGMA, QUALITY = 25.0, 10
WIDE = {"widths": (64, 96, 128), "depths": (3, 2, 2)}


def fixed_noise(clean: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """One level, as DnCNN-S learns."""
    return np.asarray(
        clean / np.float32(255) + chance.standard_normal(clean.shape, np.float32) * np.float32(SIGMA / 255)
    )


def fixed_blocks(clean: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """One quality, as AR-CNN learns."""
    return damage.blocks(clean, chance, (QUALITY, QUALITY))


JOBS = {
    "denoise25": train.Job(1, {"noise25": 1}, 40_000, decay=0.5, rate=1.5e-3, settings=WIDE),
    "deblock10": train.Job(1, {"blocks10": 1}, 25_000, decay=0.5, rate=1.5e-3, settings=WIDE),
    "enlarge2": train.Job(
        1, {"small2": 1}, 25_000, decay=0.5, rate=1.5e-3, settings=WIDE | {"fold": 1}, scale=2, patch=32
    ),
}
MEASURED = {
    "denoise25": ("BSD68 sigma 25", "Set12 sigma 25"),
    "deblock10": ("classic5 quality 10",),
    "enlarge2": ("Set5 x2",),
}


def pool_of(data: Path) -> Callable[[int], train.Pool]:
    """The 400 pictures, and nothing drawn."""

    def opened(seed: int) -> train.Pool:
        paths = sorted((data / "denoise_gray" / "train").glob("*.png"))
        photographs = [np.repeat(protocol.read(path, gray=True), 3, -1) for path in paths]
        if not photographs:
            raise SystemExit(f"no pictures in {data / 'denoise_gray' / 'train'}")
        return train.Pool(photographs, photographs[:1], share=1.0)

    return opened


def reached(name: str, out: Path, data: Path) -> str:
    """What the running mean of a job reaches now."""
    learning = train.Learning(JOBS[name], 0)
    learning.resume(out / f"{name}.state")
    network = learning.network.eval()
    with torch.no_grad():
        for label, weight in network.named_parameters():
            weight.copy_(learning.mean[label])

    def restore(given: np.ndarray) -> np.ndarray:
        unit = given if given.dtype.kind == "f" else protocol.luma(given) / np.float32(255)
        picture = torch.from_numpy(np.ascontiguousarray(unit, np.float32)).movedim(-1, 0)[None]
        with torch.inference_mode():
            made = train.enlarged(picture, JOBS[name].scale) + network((picture - train.MEAN) / train.SPREAD)
        return made[0].movedim(0, -1).numpy()

    told = []
    for one in protocol.PROTOCOLS:
        if one.name in MEASURED[name]:
            others = ", ".join(f"{rival} {value:.2f}" for rival, value in one.published.items())
            told.append(f"{one.name} {protocol.mean_decibels(one, data, restore):.2f} dB [{others}]")
    spent = f"{learning.seconds / 60:.0f} minutes of one processor"
    return f"{name}: step {learning.step:,} of {JOBS[name].steps:,}, {spent}: {'; '.join(told)}"


def main() -> None:
    parser = protocol.parser(str(__doc__))
    parser.add_argument("--out", type=Path, default=Path("/tmp/weights-published"))
    parser.add_argument("--minutes", type=float, default=60.0, help="by the clock, for all jobs together")
    parser.add_argument("--part", type=float, default=1.0, help="of the steps")
    given = parser.parse_args()
    JOBS.update({name: replace(job, steps=max(1, round(job.steps * given.part))) for name, job in JOBS.items()})
    data = protocol.folder_of(given)
    if data is None:
        return
    given.out.mkdir(parents=True, exist_ok=True)
    train.SPOILS.update({"noise25": fixed_noise, "blocks10": fixed_blocks})
    until = time.monotonic() + 60 * given.minutes
    for name in JOBS:
        if given.only in name:
            left = until - time.monotonic()
            if left > 0 and not (given.out / f"{name}.safetensors").is_file():
                train.train(name, given.out, most=left, jobs=JOBS, opened=pool_of(data))
            if (given.out / f"{name}.state").is_file():
                print(reached(name, given.out, data), flush=True)


if __name__ == "__main__":
    main()
