"""Batches: the same whatever made them, in bounded memory, on no more threads than were asked for."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sightline.core import catalog
from sightline.core.annotations import Labels, Objects
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, SightlineError
from sightline.core.image import ArrayImage, FileImage, Image, encode
from sightline.core.inputs import Frame, InputSpec, fit_all, normalised
from sightline.core.known import remember
from sightline.core.recipe import apply, parse
from sightline.core.sample import Sample
from sightline.core.task import Arrays, Facts
from sightline.core.views import View
from sightline.tasks.classify import Classify
from sightline.tasks.detect import Detect
from sightline.training.buffers import Buffers
from sightline.training.cache import Cache
from sightline.training.keeping import keep
from sightline.training.loader import CHUNK, Batch, Loader, Spent, mover, tuned
from sightline.training.settings import Settings

NAMES = ("a", "b")
SPEC = InputSpec((16, 20), 3)
FACTS = Facts({"image": SPEC}, NAMES, {"smoothing": 0.0})


def pictures(count: int, size: tuple[int, int] = (24, 32)) -> Dataset:
    made = [np.random.default_rng(n).integers(0, 255, (*size, 3), dtype=np.uint8) for n in range(count)]
    samples = [Sample(f"p{n}", (ArrayImage(p, f"p{n}"),), Labels((NAMES[n % 2],))) for n, p in enumerate(made)]
    return Dataset(samples, names=NAMES, kind=Labels)


def plan_of(count: int, size: int) -> list[list[int]]:
    return [list(range(first, min(first + size, count))) for first in range(0, count, size)]


def loader(data: Dataset, workers: int = 0, facts: Facts = FACTS, **more: Any) -> Loader:
    task = more.pop("task", Classify())
    return Loader(task, facts, data, 5, more.pop("mover", mover(task, facts, Settings())), workers, **more)


def same(first: Batch, second: Batch) -> bool:
    return (
        first.rows == second.rows
        and first.bad == second.bad
        and first.arrays.keys() == second.arrays.keys()
        and all(np.array_equal(first.arrays[name], second.arrays[name]) for name in first.arrays)
    )


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("size", [1, 7, 2 * CHUNK, 50])
def test_threads_change_nothing(workers: int, size: int) -> None:
    data = pictures(50)
    for epoch in range(2):
        alone = list(loader(data).batches(epoch, plan_of(50, size), {"p3"}))
        together = list(loader(data, workers).batches(epoch, plan_of(50, size), {"p3"}))
        assert len(alone) == len(together)
        assert all(map(same, alone, together))
        assert [row for batch in together for row in batch.rows] == [row for row in range(50) if row != 3]
    others = list(loader(data).batches(0, plan_of(50, size), set()))
    assert not all(map(same, alone, others)), "another epoch has another chance"


def test_a_picture_is_mirrored_every_second_time_that_it_is_shown() -> None:
    data, plan = pictures(40, (16, 20)), plan_of(40, 8)
    plain = [batch.arrays["image"] for batch in loader(data, mover=None).batches(0, plan, set())]
    flips = loader(data, 2, mover=partial(apply, parse(["flip"])))
    shown = []
    for epoch in range(4):
        made = [batch.arrays["image"] for batch in flips.batches(epoch, plan, set())]
        shown.append(
            [bool((a != b).any()) for x, y in zip(made, plain, strict=True) for a, b in zip(x, y, strict=True)]
        )
    assert all(one != other for one, other in zip(shown[0], shown[1], strict=True))
    assert shown[2:] == shown[:2]
    assert 8 < sum(shown[0]) < 32, "half of them at a time"
    again = flips.make(0, [3, 43], set()).arrays["image"]
    assert (again[0] != again[1]).any(), "twice in an epoch is twice"


def test_a_row_shown_again_has_another_chance_and_the_same_picture() -> None:
    data = pictures(4)
    once, again = loader(data).make(0, [2], set()), loader(data).make(0, [2 + 4], set())
    assert not np.array_equal(once.arrays["image"], again.arrays["image"])
    still = loader(data, mover=None)
    np.testing.assert_array_equal(still.make(0, [2], set()).arrays["image"], still.make(0, [6], set()).arrays["image"])


def test_bad_pictures_and_labels_are_named_and_harm_no_neighbour(tmp_path: Path) -> None:
    samples = list(pictures(20))
    (tmp_path / "bad.png").write_bytes(b"")
    samples[4] = replace(samples[4], images=(FileImage(tmp_path / "bad.png"),))
    samples[9] = replace(samples[9], truth=Labels(("c",)))
    samples[13] = replace(samples[13], images=(ArrayImage(np.zeros((24, 32, 5), np.uint8)),))
    data = Dataset(samples, names=NAMES, kind=Labels)
    whole = loader(data, mover=None).make(0, range(20), set())
    assert set(whole.bad) == {"p4", "p9", "p13"}
    assert "'c' is none of a, b" in whole.bad["p9"]
    assert whole.rows == [row for row in range(20) if row not in (4, 9, 13)]
    assert whole.arrays["classes"].tolist() == [row % 2 for row in whole.rows]
    for place, row in enumerate(whole.rows):
        alone = loader(data, mover=None).make(0, [row], set())
        np.testing.assert_array_equal(whole.arrays["image"][place], alone.arrays["image"][0])
    (threaded,) = loader(data, 3, mover=None).batches(0, [range(20)], set())
    assert same(whole, threaded)
    nothing = loader(data, mover=None).make(0, [4, 9, 13], set())
    assert (nothing.arrays, nothing.rows, len(nothing.bad)) == ({}, [], 3)
    assert next(loader(data, 2).batches(0, [[]], set())).rows == []


def test_an_error_that_is_ours_reaches_whoever_waits() -> None:
    def broken(sample: Sample, rng: np.random.Generator, *, others: Any, turn: int) -> Sample:
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError, match="a bug"):
        list(loader(pictures(30), 2, mover=broken).batches(0, plan_of(30, 20), set()))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sightline-loader")]


def test_targets_that_pad_see_the_whole_batch() -> None:
    rng = np.random.default_rng(0)
    samples = []
    for n in range(30):
        count = 7 if n == 27 else n % 3
        boxes = np.sort(rng.random((count, 2, 2)) * 20, 1).reshape(count, 4).astype(np.float32)
        picture = ArrayImage(rng.integers(0, 255, (24, 32, 3), dtype=np.uint8))
        samples.append(Sample(f"s{n}", (picture,), Objects(boxes, np.zeros(count, np.int64), ("thing",))))
    data = Dataset(samples, names=("thing",), kind=Objects)
    facts = Detect().prepare(data, Detect.Options(), "small")
    (batch,) = loader(data, 2, facts, task=Detect(), mover=None).batches(0, [range(30)], set())
    assert batch.arrays["boxes"].shape == (30, 7, 4)
    assert [(row >= 0).sum() for row in batch.arrays["classes"]] == [7 if n == 27 else n % 3 for n in range(30)]


class Tiles(Classify):
    """Many frames a sample."""

    def targets(self, samples: Sequence[Sample], frames: Sequence[Frame], facts: Facts) -> Arrays:
        if any(sample.id == "p5" for sample in samples):
            raise InputError("label", "p5: no")
        return {"row": np.array([int(samples[frame.sample].id[1:]) for frame in frames])}


def test_frames_point_at_their_samples_also_where_one_is_left_out() -> None:
    facts = Facts({"image": InputSpec((16, 16), 3, fit="tile")}, NAMES)
    (batch,) = loader(pictures(20), 2, facts, task=Tiles(), mover=None).batches(0, [range(20)], set())
    assert set(batch.bad) == {"p5"}
    assert batch.arrays["row"].tolist() == [n for n in range(20) if n != 5 for _ in range(4)]
    assert len(batch.arrays["image"]) == 19 * 4
    tile = pictures(20)[7].pixels()[:16, :16]
    np.testing.assert_array_equal(batch.arrays["image"][6 * 4], tile)


class Doubled(Classify):
    """Two rows for some samples, so that rows cannot be planned."""

    def inputs(self, samples: Sequence[Sample], facts: Facts) -> tuple[Arrays, list[Frame]]:
        arrays, frames = super().inputs(samples, facts)
        if int(samples[0].id[1:]) % 9 != 4:
            return arrays, frames
        return {name: np.repeat(array, 2, 0) for name, array in arrays.items()}, frames * 2

    def targets(self, samples: Sequence[Sample], frames: Sequence[Frame], facts: Facts) -> Arrays:
        return {"row": np.array([int(samples[frame.sample].id[1:]) for frame in frames])}


@pytest.mark.parametrize("floats", [False, True])
@pytest.mark.parametrize("workers", [0, 2])
def test_rows_that_nobody_planned_are_kept_in_order(workers: int, floats: bool) -> None:
    (plain,) = loader(pictures(30), mover=None, floats=floats).batches(0, [range(30)], {"p2"})
    made = loader(pictures(30), workers, task=Doubled(), mover=None, floats=floats)
    (batch,) = made.batches(0, [range(30)], {"p2"})
    places = [n for n in range(30) if n != 2 for _ in range(1 + (n % 9 == 4))]
    assert batch.arrays["row"].tolist() == places
    for place, pixels in zip(places, batch.arrays["image"], strict=True):
        np.testing.assert_array_equal(pixels, plain.arrays["image"][plain.rows.index(place)])


def test_gaps_are_closed_wherever_they_are(tmp_path: Path) -> None:
    samples = list(pictures(40))
    (tmp_path / "bad.png").write_bytes(b"")
    gone = (0, 1, 7, 8, 15, 16, 17, 22, 39)
    for n in gone:
        samples[n] = replace(samples[n], images=(FileImage(tmp_path / "bad.png"),))
    data = Dataset(samples, names=NAMES, kind=Labels)
    for floats in (False, True):
        (batch,) = loader(data, 2, floats=floats).batches(0, [range(40)], {"p30"})
        assert batch.rows == [n for n in range(40) if n not in (*gone, 30)]
        for place, row in enumerate(batch.rows):
            (alone,) = loader(data, floats=floats).batches(0, [[row]], set())
            np.testing.assert_array_equal(batch.arrays["image"][place], alone.arrays["image"][0])


def test_what_is_made_of_a_picture_is_no_part_of_it() -> None:
    for shape, fit in (((16, 20), "stretch"), ((16, 20), "tile"), ((3, 16, 20), "stretch")):
        held = np.zeros((*shape, 3), np.uint8)
        spec = InputSpec(shape, 3, fit=fit)
        arrays, _ = fit_all([Sample("p", (ArrayImage(held),))], {"image": spec})
        assert not np.shares_memory(arrays["image"], held)


def test_more_small_pictures_are_made_at_a_time_but_never_all_by_one() -> None:
    small = loader(pictures(1), 2)
    assert small._chunk(256) == 128
    assert small._chunk(100_000) <= 2**20 // (16 * 20 * 3)
    assert loader(pictures(1), 2, Facts({"image": InputSpec((512, 512), 3)}, NAMES))._chunk(64) == CHUNK


def test_a_move_that_mixes_gets_others_from_the_same_chance() -> None:
    def blend(sample: Sample, rng: np.random.Generator, *, others: Any, turn: int) -> Sample:
        (other,) = others(1)
        mixed = (sample.pixels().astype(int) + other.pixels()) // 2
        return replace(sample, images=(ArrayImage(mixed.astype(np.uint8)),))

    data = pictures(12)
    one, two = (loader(data, w, mover=blend).batches(0, [range(12)], set()) for w in (0, 2))
    assert all(map(same, one, two))


def test_moves_see_pictures_that_wait_and_volumes_that_do_not() -> None:
    seen: list[type] = []

    def look(sample: Sample, rng: np.random.Generator, *, others: Any, turn: int) -> Sample:
        seen.append(type(sample.image))
        return sample

    loader(pictures(1), mover=look).make(0, [0], set())
    volume = Dataset([Sample("v", (ArrayImage(np.zeros((3, 8, 8, 1), np.uint8)),), Labels(("a",)))], names=NAMES)
    facts = Facts({"image": InputSpec((3, 8, 8), 1)}, NAMES)
    assert loader(volume, facts=facts, mover=look).make(0, [0], set()).rows == [0]
    assert seen == [View, ArrayImage]


def test_pixels_that_a_move_made_are_not_held_twice() -> None:
    held: list[Image] = []

    class Watch(Classify):
        def targets(self, samples: Sequence[Sample], frames: Sequence[Frame], facts: Facts) -> Arrays:
            held.extend(sample.image for sample in samples)
            return super().targets(samples, frames, facts)

    def copy(sample: Sample, rng: np.random.Generator, *, others: Any, turn: int) -> Sample:
        return replace(sample, images=(ArrayImage(sample.pixels().copy(), "c"),))

    loader(pictures(3), task=Watch(), mover=copy).make(0, range(3), set())
    assert {type(image) for image in held} == {Spent}
    for use in (held[0].read, held[0].encoded, held[0].fingerprint):
        with pytest.raises(RuntimeError, match="c: "):
            use()


@dataclass(eq=False)
class Drawn:
    """A large picture that is made when it is read, and counts how many are alive."""

    side: int
    alive: list[int]
    name: str = "large"
    drawn = True

    def read(self, at_least: tuple[int, int] | None = None) -> np.ndarray:
        pixels = np.zeros((self.side, self.side, 3), np.uint8)
        self.alive[0] += 1
        self.alive[1] = max(self.alive)
        import weakref

        weakref.finalize(pixels, self._gone)
        return pixels

    def _gone(self) -> None:
        self.alive[0] -= 1

    def encoded(self) -> bytes:
        return b""

    def fingerprint(self) -> str:
        return self.name


@pytest.mark.parametrize("ways", ["none", "waiting", "copying"])
def test_few_large_pictures_are_alive_at_a_time(ways: str) -> None:
    """48 pictures of 27 MB: held together they would be 1.3 GB."""
    alive = [0, 0]
    samples = [Sample(str(n), (Drawn(3000, alive),), Labels(("a",))) for n in range(48)]
    data = Dataset(samples, names=NAMES, kind=Labels)

    def copy(sample: Sample, rng: np.random.Generator, *, others: Any, turn: int) -> Sample:
        return replace(sample, images=(ArrayImage(sample.pixels()[::-1], "c"),))

    def window(sample: Sample, rng: np.random.Generator, *, others: Any, turn: int) -> Sample:
        return replace(sample, images=(View.of(sample.image).window(5, 5, 2000, 2000).mirrored(),))

    chosen = {"none": None, "waiting": window, "copying": copy}[ways]
    before = _resident()
    peak = 0
    for batch in loader(data, 2, mover=chosen).batches(0, plan_of(48, 24), set()):
        peak = max(peak, _resident())
        assert len(batch.rows) == 24
    assert alive[1] <= (8 if ways == "copying" else 6)
    assert peak - before < 400 * 2**20


def _resident() -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


@pytest.mark.parametrize(("ahead", "most"), [(10**9, 5), (1, 2), (3 * 8 * 16 * 20 * 3, 3)])
def test_what_is_made_ahead_is_bounded_in_bytes(ahead: int, most: int) -> None:
    made: list[int] = []

    class Count(Classify):
        def targets(self, samples: Sequence[Sample], frames: Sequence[Frame], facts: Facts) -> Arrays:
            made.append(1)
            return {}

    stream = loader(pictures(80), 2, task=Count(), mover=None, ahead=ahead).batches(0, plan_of(80, 8), set())
    for taken, _ in enumerate(stream, 1):
        time.sleep(0.05)
        if taken > 2:
            assert len(made) - taken < most
    assert len(made) == 10


def test_a_stream_that_is_dropped_leaves_no_thread() -> None:
    stream: Iterator[Batch] = loader(pictures(40), 3).batches(0, plan_of(40, 4), set())
    next(stream)
    assert [thread for thread in threading.enumerate() if thread.name.startswith("sightline-loader")]
    stream.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sightline-loader")]


def test_no_more_threads_than_asked_for_and_the_first_batch_soon(tmp_path: Path) -> None:
    import cv2

    data = pictures(64, (375, 500))
    (tmp_path / "p.png").write_bytes(encode(data[0].pixels()))
    facts = Facts({"image": InputSpec((224, 224), 3)}, NAMES)
    cv2.setNumThreads(4)
    torch.get_num_threads()
    list(loader(data, 2, facts).batches(0, [range(8)], set()))
    tasks = Path("/proc/self/task")
    before, begun = len(list(tasks.iterdir())), time.thread_time()
    stream = loader(data, 2, facts).batches(0, plan_of(64, 64), set())
    clock = time.perf_counter()
    next(stream)
    waited = time.perf_counter() - clock
    assert len(list(tasks.iterdir())) <= before + 2
    assert cv2.getNumThreads() == 1, "while it runs"
    stream.close()  # type: ignore[attr-defined]
    assert cv2.getNumThreads() == 4
    cv2.setNumThreads(1)
    assert time.thread_time() - begun < 0.1, "the consumer only waits"
    assert waited < 1.0  # tenfold room for a busy machine; benchmarks/input_pipeline.py holds it to 100 ms


def test_floats_are_what_the_network_would_make_of_the_bytes() -> None:
    spec = replace(SPEC, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4))
    facts = replace(FACTS, inputs={"image": spec})
    (plain,) = loader(pictures(20), 2, facts).batches(0, [range(20)], set())
    (scaled,) = loader(pictures(20), 2, facts, floats=True).batches(0, [range(20)], set())
    assert plain.arrays["image"].dtype == np.uint8
    np.testing.assert_array_equal(scaled.arrays["image"], normalised(plain.arrays["image"], spec))
    np.testing.assert_array_equal(scaled.arrays["classes"], plain.arrays["classes"])


@pytest.mark.parametrize(("dtype", "channels"), [("uint16", 1), ("uint16", 5), ("float32", 2), ("uint8", 7)])
def test_the_cache_changes_no_batch(tmp_path: Path, dtype: str, channels: int) -> None:
    rng = np.random.default_rng(1)
    samples = []
    for n in range(12):
        pixels = (rng.random((20 + n, 30, channels)) * (65535 if dtype == "uint16" else 255)).astype(dtype)
        np.save(tmp_path / f"{n}.npy", pixels)
        samples.append(Sample(str(n), (FileImage(tmp_path / f"{n}.npy"),), Labels((NAMES[n % 2],))))
    data = remember(Dataset(samples, names=NAMES, kind=Labels))
    facts = Facts({"image": InputSpec((16, 16), channels, dtype)}, NAMES)
    cache = Cache(tmp_path / "cache", 2**30)
    for epoch in range(3):
        plain = list(loader(data, 2, facts).batches(epoch, plan_of(12, 5), set()))
        kept = list(loader(keep(data, cache), 2, facts).batches(epoch, plan_of(12, 5), set()))
        assert all(map(same, plain, kept))
    assert cache.misses == 12
    assert cache.hits == 24
    cache.close()


def test_buffers_are_used_again_when_nobody_holds_them() -> None:
    buffers = Buffers()
    kind = np.dtype(np.uint8)
    first = buffers.empty((2**21,), kind)
    address = first.ctypes.data
    part = first[10:20]
    del first
    assert buffers.empty((2**21,), kind).ctypes.data != address, "a part of it is still held"
    del part
    tensor = torch.from_numpy(held := buffers.empty((2**21,), kind))
    del held
    other = buffers.empty((2**21,), kind)
    assert other.ctypes.data != tensor.data_ptr()
    del other, tensor
    addresses = {buffers.empty((2**21 - n,), kind).ctypes.data for n in range(6)}
    assert len(addresses) == 1
    for n in range(40):
        assert len(buffers.blocks) <= buffers.most, n
        kept = [buffers.empty((2**20 * (n % 5 + 1),), kind) for _ in range(3)]
    assert kept


def test_batches_that_are_kept_are_never_overwritten() -> None:
    data = pictures(96, (80, 90))
    facts = Facts({"image": InputSpec((128, 128), 3)}, NAMES)
    made = loader(data, 2, facts, floats=True)
    kept = [torch.from_numpy(batch.arrays["image"]) for batch in made.batches(0, plan_of(96, 24), set())]
    for tensor, rows in zip(kept, plan_of(96, 24), strict=True):
        alone = loader(data, 0, facts, floats=True).make(0, rows, set())
        np.testing.assert_array_equal(tensor.numpy(), alone.arrays["image"])


def test_inputs_are_tuned_from_the_training_side() -> None:
    dark = Dataset(
        [Sample(str(n), (ArrayImage(np.full((8, 8, 3), 51 * n, np.uint8)),), Labels(("a",))) for n in range(3)]
    )
    assert tuned(FACTS, dark, Settings()) == FACTS
    assert tuned(FACTS, dark, Settings(resample="fast")).input.resample == "fast"
    fitted = tuned(FACTS, dark, Settings(scale="fitted")).input
    np.testing.assert_allclose(fitted.mean, 0.2, atol=1e-6)
    assert len(fitted.std) == 3
    assert Facts.from_json(tuned(FACTS, dark, Settings(scale="fitted")).to_json()).input == fitted


def test_facts_from_before_there_was_a_choice_are_read_as_they_were_meant() -> None:
    plain = FACTS.to_json()
    assert Facts.from_json(plain).input.resample == "smooth"
    del plain["inputs"][0]["resample"]
    assert Facts.from_json(plain).input.resample == "area"


def test_what_changes_the_result_is_fixed_and_what_does_not_is_free() -> None:
    plain = Settings().fixed()
    assert not {"sampling", "resample", "scale", "cache", "ahead", "workers"} & plain.keys(), "old runs continue"
    changed = Settings(sampling="balanced", resample="fast", scale="fitted", cache="off", ahead=9.0).fixed()
    assert changed == {**plain, "sampling": "balanced", "resample": "fast", "scale": "fitted"}


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("flip", {"chance": 1.0}),
        ("crop", {"size": (20, 30)}),
        ("zoom", {}),
        ("light", {}),
        ("colour", {}),
        ("gamma", {}),
        ("flip_down", {"chance": 1.0}),
        ("quarter_turn", {}),
        ("rotate", {}),
    ],
)
def test_moves_that_wait_end_where_moves_at_once_do(name: str, settings: dict[str, Any]) -> None:
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:60, :80]
    smooth = np.stack([100 + 60 * np.sin(x / 9), 100 + 60 * np.cos(y / 7), 90 + x], -1).astype(np.uint8)
    boxes = np.array([[10, 12, 40, 44], [30, 5, 70, 50]], np.float32)
    truth = Objects(boxes, np.zeros(2, np.int64), ("thing",))
    now = Sample("s", (ArrayImage(smooth),), truth)
    waiting = replace(now, images=(View.of(ArrayImage(smooth)),))
    move = catalog.find("augmentations", name)
    seed = int(rng.integers(99))
    one, other = (move(each, np.random.default_rng(seed), **settings) for each in (now, waiting))
    assert isinstance(other.image, View)
    assert np.abs(one.pixels().astype(int) - other.pixels()).max() <= 2
    np.testing.assert_array_equal(one.truth.boxes, other.truth.boxes)


def test_the_standard_recipe_decodes_a_part_and_holds_nothing(tmp_path: Path) -> None:
    from PIL import Image as Pillow

    pixels = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    Pillow.fromarray(pixels).save(tmp_path / "p.jpg")
    data = remember(Dataset([Sample("p", (FileImage(tmp_path / "p.jpg"),), Labels(("a",)))], names=NAMES))
    recipe = (("window", {"part": (0.9, 1.0)}), ("flip", {}), ("colour", {}), ("zoom", {"smallest": 0.95}))
    asked: list[View] = []

    def looking(sample: Sample, rng: np.random.Generator, *, others: Any, turn: int) -> Sample:
        sample = apply(parse(recipe), sample, rng, others=others, turn=turn)
        assert isinstance(sample.image, View)
        asked.append(sample.image)
        return sample

    assert loader(data, mover=looking).make(0, [0], set()).rows == [0]
    assert asked[0].source.held == 0
    assert asked[0].source.at_least(30, 40).shape[0] < 480


def test_a_run_names_its_own_augmentations_and_wrong_names_are_one_line() -> None:
    data = pictures(6)
    named = Settings(augmentations=["flip_down", {"name": "rotate", "degrees": 20, "chance": 0.5}])
    own, chosen, none = (
        loader(data, mover=mover(Classify(), FACTS, settings)).make(0, range(6), set())
        for settings in (Settings(), named, Settings(augment=False))
    )
    assert not same(own, chosen)
    assert not same(chosen, none)
    assert mover(Classify(), FACTS, Settings(augmentations=[])) is None
    assert named.fixed()["augmentations"] == named.augmentations
    assert "augmentations" not in Settings().fixed()
    with pytest.raises(SightlineError, match="flop"):
        Settings(augmentations=["flop"])
