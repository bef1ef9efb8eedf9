"""The picture as it was before it was damaged, made smaller, or lost a part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Annotation, Picture
from sightline.core.chance import generator
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, SettingsError
from sightline.core.image import ArrayImage
from sightline.core.inputs import Frame, InputSpec, blend, coloured, common_spec, cut
from sightline.core.pairs import ENLARGED, refuse_pairs
from sightline.core.patchwork import pieced
from sightline.core.sample import Sample
from sightline.core.task import Arrays, Facts, Fit, Run, Step, Task
from sightline.tasks._damages import (
    GIVEN,
    DamagedImage,
    clean_later,
    damage_named,
    damaged,
    whole_steps,
)

_TOP = {"uint8": 255, "uint16": 65535, "float32": 1}
_STEP = 16  # pixels to whose multiples a larger tile is cut down for a small picture


@dataclass(frozen=True)
class Settings:
    """Settings of the task."""

    damage: str = GIVEN  # given: pairs say it; else what clean pictures are damaged by, such as noise or jpeg
    least: float | None = None  # strength of the weakest damage, in its own unit; none: as is usual
    most: float | None = None  # strength of the strongest
    scale: int = 1  # how many times as large the answer is
    loss: str = "charbonnier"  # a loss of pictures, or several: "charbonnier + 0.1 frequencies"
    channels: int = 0  # 1 gray, 3 colour; 0: as the pictures are
    deep: bool = False  # take every depth alike, as floats; answers come in the depth of the picture
    tile: int = 64  # side of what the network sees at once while it learns
    overlap: int = 16  # shared by neighbouring tiles and blended
    window: int = 0  # side of the tiles in which whole pictures are answered; 0: as while it learns


class Restore(Task):
    """What was lost, added back tile by tile."""

    kind = Picture
    metrics = ("psnr", "ssim") if "ssim" in catalog.names("metrics") else ("psnr",)
    model = "unet"
    Options = Settings

    def fits(self, data: Dataset) -> Fit:
        if data.kind is Picture:
            return Fit(2, "pairs of a damaged and a clean picture")
        if data.kind is None and len(data):
            return Fit(1, "clean pictures, to be damaged by what task.damage names")
        return Fit(0, "needs pairs of a damaged and a clean picture, or clean pictures alone")

    def prepare(self, data: Dataset, options: Settings, model: str) -> Facts:
        if options.damage == GIVEN and data.kind is not Picture:
            raise SettingsError(
                f"{data.name} holds no pairs of a damaged and a clean picture. Say what clean pictures shall be "
                "damaged by, for example with: --set task.damage=noise"
            )
        if options.scale not in (1, *ENLARGED):
            raise SettingsError(f"task.scale = {options.scale}: must be 1, 2, 3 or 4.")
        if options.damage == GIVEN:
            refuse_pairs(data, options.scale)
        if not options.tile >= 8 or not 0 <= options.overlap < options.tile:
            raise SettingsError(f"task.tile = {options.tile}: must be 8 or more, and larger than task.overlap.")
        loss_parts(options.loss)
        masked = options.damage != GIVEN and damage_named(options.damage).masked
        channels, depth, _ = common_spec(data)
        channels = (options.channels or channels) + masked
        spec = InputSpec((options.tile,) * 2, channels, "float32" if options.deep else depth, "tile", options.overlap)
        return Facts({"image": spec}, (), asdict(options), {"masked": masked})

    def network(self, model: str, facts: Facts) -> Any:
        scale = _option(facts, "scale")
        more = {"scale": scale} if scale > 1 else {}
        built = catalog.find("models", model).build(facts.input.channels, **more)
        return catalog.find("heads", "picture")(built, facts.input, scale=scale, masked=_masked(facts))

    def pose(self, sample: Sample, facts: Facts, rng: np.random.Generator | None = None) -> Sample:
        """A clean picture becomes a damaged one and its truth; the chance of what is measured lies in the sample."""
        damage, scale = _option(facts, "damage"), _option(facts, "scale")
        paired = isinstance(sample.truth, Picture)
        if rng is None:
            return sample if paired or damage == GIVEN else _measured(sample, facts)
        if damage == GIVEN:
            return _cropped(sample, facts, rng) if paired and scale > 1 else sample
        pixels = sample.truth.pixels if isinstance(sample.truth, Picture) else sample.pixels()
        clean = whole_steps(coloured(pixels, _answered(facts), sample.id), scale)
        made, notes = damaged(clean, facts.options, rng)
        return replace(
            sample,
            images=(ArrayImage(made, sample.image.name),),
            truth=Picture(clean),
            attributes={**sample.attributes, **notes},
        )

    def targets(self, samples: Sequence[Sample], frames: Sequence[Frame], facts: Facts) -> Arrays:
        windows, scale = [], _option(facts, "scale")
        for frame in frames:
            truth = samples[frame.sample].truth
            wanted = tuple(side * scale for side in frame.original)
            if not isinstance(truth, Picture) or truth.pixels.shape[:2] != wanted:
                size = "the same size" if scale == 1 else f"{scale} times the size"
                raise InputError("label", f"{samples[frame.sample].id}: a clean picture of {size} is needed.")
            window = cut(coloured(truth.pixels, _answered(facts), samples[frame.sample].id), frame, scale)
            windows.append(window.astype(np.float32) / np.float32(_TOP[str(window.dtype)]))
        return {"clean": np.stack(windows)}

    def reference(self, sample: Sample, facts: Facts) -> Annotation | None:
        if not isinstance(sample.truth, Picture):
            return None
        return Picture(coloured(sample.truth.pixels, _answered(facts), sample.id))

    def augment(self, facts: Facts) -> tuple[tuple[str, dict[str, Any]], ...]:
        scale = _option(facts, "scale")
        if scale > 1 and _option(facts, "damage") == GIVEN:
            return ()  # a window of a pair of two sizes is cut where the pair is posed
        side = facts.input.size[0] * scale
        return (("crop", {"size": (side, side)}), ("flip", {}))

    def loss(self, step: Step) -> dict[str, Any]:
        out = step.network(image=step.batch["image"])["picture"]
        parts = loss_parts(str(_option(step.facts, "loss")))
        return {
            name if len(parts) > 1 else "pixels": weight * catalog.find("losses", name)(out, step.batch["clean"])
            for name, weight in parts.items()
        }

    def predict(
        self, run: Run, samples: Sequence[Sample], facts: Facts, rng: Callable[[Sample], np.random.Generator]
    ) -> list[Annotation]:
        """Whole pictures, a row of tiles in memory at a time, each answered in the depth it came in."""
        return [Picture(_whole(run, sample, facts)) for sample in samples]

    def decode(self, outputs: Arrays, frames: Sequence[Frame], facts: Facts) -> list[Annotation]:
        depth = facts.input.dtype
        top = _TOP[depth]
        answers: list[Annotation] = []
        for pixels in blend(outputs["picture"], frames, facts.input.overlap, _option(facts, "scale")):
            whole = np.clip(pixels, 0, 1) * top
            answers.append(Picture((whole if depth == "float32" else np.rint(whole)).astype(depth)))
        return answers


def loss_parts(text: str) -> dict[str, float]:
    """The losses that a word such as "charbonnier + 0.1 frequencies" adds up, with their weights."""
    parts: dict[str, float] = {}
    for term in text.split("+"):
        *number, name = term.split() or [""]
        try:
            weight = float(number[0]) if number else 1.0
        except ValueError:
            weight = float("nan")
        if len(number) > 1 or not weight > 0:
            raise SettingsError(
                f'task.loss = "{text}": write losses and weights such as "charbonnier + 0.1 frequencies".'
            )
        catalog.find("losses", name)
        parts[name] = weight
    return parts


def _option(facts: Facts, name: str) -> Any:
    """An option; models from before it was there have its usual value."""
    return facts.options.get(name, getattr(Settings, name))


def _masked(facts: Facts) -> bool:
    return bool(facts.extra.get("masked", False))


def _answered(facts: Facts) -> int:
    """Channels of an answer: what tells where parts are missing is not answered."""
    return facts.input.channels - _masked(facts)


def _measured(sample: Sample, facts: Facts) -> Sample:
    """A clean picture and its damaged twin, both made when they are looked at."""
    options = {name: _option(facts, name) for name in ("damage", "least", "most", "scale")}

    def chance() -> np.random.Generator:
        return generator("damage", options["damage"], sample.id)

    image = DamagedImage(sample.image, options, _answered(facts), chance)
    return replace(sample, images=(image,), truth=clean_later(sample.image, _answered(facts), options["scale"]))


def _cropped(sample: Sample, facts: Facts, rng: np.random.Generator) -> Sample:
    """The same window, flipped or not, of a picture and of its larger truth."""
    pixels, truth, scale = sample.pixels(), sample.truth, _option(facts, "scale")
    assert isinstance(truth, Picture)
    if truth.pixels.shape[:2] != (pixels.shape[0] * scale, pixels.shape[1] * scale):
        raise InputError("label", f"{sample.id}: a clean picture of {scale} times the size is needed.")
    rows, columns = (min(side, want) for side, want in zip(pixels.shape[:2], facts.input.size, strict=True))
    top, left = (int(rng.integers(have - part + 1)) for have, part in zip(pixels.shape, (rows, columns), strict=False))
    turn = -1 if rng.random() < 0.5 else 1
    small = pixels[top : top + rows, left : left + columns][:, ::turn]
    large = truth.pixels[top * scale : (top + rows) * scale, left * scale : (left + columns) * scale][:, ::turn]
    image = ArrayImage(np.ascontiguousarray(small), sample.image.name)
    return replace(sample, images=(image,), truth=Picture(np.ascontiguousarray(large)))


def _whole(run: Run, sample: Sample, facts: Facts) -> np.ndarray:
    pixels, spec, window = sample.pixels(), facts.input, int(_option(facts, "window"))
    if pixels.ndim != 3:
        raise InputError("mismatch", f"{sample.id}: {pixels.ndim - 1}-D pixels where the model takes flat pictures.")
    if window:
        sides = [min(window, max(_STEP, -(-side // _STEP) * _STEP)) for side in pixels.shape[:2]]
        spec = replace(spec, size=tuple(sides), overlap=min(spec.overlap, min(sides) - 1))
    depth, scale = "" if spec.dtype == "float32" else spec.dtype, _option(facts, "scale")
    return pieced(lambda tiles: run({"image": tiles})["picture"], pixels, spec, scale=scale, depth=depth)


TASK = Restore()
