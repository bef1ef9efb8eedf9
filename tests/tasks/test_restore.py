"""Restoring pictures: its lesson, a classical rival, and tiles that leave no seam."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from sightline.core.annotations import Picture
from sightline.core.data import open_data
from sightline.core.errors import InputError
from sightline.core.files import write_durably
from sightline.core.image import ArrayImage, encode
from sightline.core.inputs import InputSpec
from sightline.core.progress import Event
from sightline.core.sample import Sample
from sightline.core.splitting import sided
from sightline.core.task import Facts
from sightline.evaluating.evaluate import evaluate
from sightline.sources.drawn import dataset
from sightline.tasks.restore import TASK
from sightline.training.train import train
from tests.tasks.lessons import Learnt, Lesson, learnt, shared_folder

LESSON = Lesson(
    lambda: dataset("pairs", 80, size=64),
    lambda _, came: (came or 0) + 3,  # decibels above the picture as it came
    {"epochs": 14, "batch": 4, "rate": 0.003},
    {"tile": 32, "overlap": 8},
)


@pytest.fixture
def pupil(tmp_path_factory: pytest.TempPathFactory) -> Learnt:
    return learnt("restore", shared_folder(tmp_path_factory))


def test_it_beats_the_best_blur(pupil: Learnt) -> None:
    """The best of ten Gaussian blurs, chosen with the truth in hand, stays behind."""
    rivals = [
        pupil.measure(
            {sample: Picture(cv2.GaussianBlur(sample.pixels(), (0, 0), float(sigma))) for sample in pupil.held}
        ).value
        for sigma in np.linspace(0.3, 2.1, 10)
    ]
    assert pupil.evaluation.figures[0]["value"] > max(rivals) + 0.5, rivals


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("size", [(20, 24), (32, 32), (50, 77)])
def test_tiles_of_an_honest_network_come_back_as_the_picture(dtype: str, size: tuple[int, int]) -> None:
    top = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    pixels = (np.random.default_rng(0).random((*size, 3)) * top).astype(dtype)
    facts = Facts({"image": InputSpec((32, 32), 3, dtype, "tile", 8)})
    arrays, frames = TASK.inputs([Sample("a", (ArrayImage(pixels),))], facts)
    (answer,) = TASK.decode({"picture": arrays["image"].astype(np.float32) / np.float32(top)}, frames, facts)
    assert isinstance(answer, Picture)
    assert answer.pixels.dtype == pixels.dtype
    assert answer.pixels.shape == pixels.shape
    assert np.abs(answer.pixels.astype(np.float64) - pixels).max() <= (1e-6 if dtype == "float32" else 1)


def test_targets_are_the_same_windows_of_the_clean_picture() -> None:
    clean = np.random.default_rng(0).integers(0, 256, (50, 40, 3)).astype(np.uint8)
    sample = Sample("a", (ArrayImage(clean),), Picture(clean))
    facts = Facts({"image": InputSpec((32, 32), 3, "uint8", "tile", 8)})
    arrays, frames = TASK.inputs([sample], facts)
    wanted = TASK.targets([sample], frames, facts)["clean"]
    assert len(frames) == 4
    assert np.abs(wanted - arrays["image"] / 255).max() < 1e-6


def test_a_clean_picture_of_another_size_is_refused() -> None:
    dirty, clean = np.zeros((32, 32, 3), np.uint8), np.zeros((32, 30, 3), np.uint8)
    sample = Sample("crooked", (ArrayImage(dirty),), Picture(clean))
    facts = Facts({"image": InputSpec((32, 32), 3, "uint8", "tile", 8)})
    _, frames = TASK.inputs([sample], facts)
    with pytest.raises(InputError, match="crooked: a clean picture of the same size"):
        TASK.targets([sample], frames, facts)


def test_answers_never_leave_the_range() -> None:
    facts = Facts({"image": InputSpec((32, 32), 3, "uint8", "tile", 8)})
    _, frames = TASK.inputs([Sample("a", (ArrayImage(np.zeros((32, 32, 3), np.uint8)),))], facts)
    wild = np.linspace(-3, 3, 32 * 32 * 3, dtype=np.float32).reshape(1, 32, 32, 3)
    (answer,) = TASK.decode({"picture": wild}, frames, facts)
    assert isinstance(answer, Picture)
    assert np.abs(answer.pixels - wild[0].clip(0, 1) * 255).max() <= 0.5


def paired(folder: Path, count: int, times: int = 1, *, same: bool = False) -> Path:
    """Noisy pictures beside clean ones, which may be larger."""
    for n in range(count):
        rng = np.random.default_rng(n)
        clean = cv2.resize(rng.integers(0, 255, (4, 4, 3)).astype(np.uint8), (32, 32), interpolation=cv2.INTER_CUBIC)
        noisy = clean if same else np.clip(clean + rng.normal(0, 20, clean.shape), 0, 255).astype(np.uint8)
        write_durably(folder / "input" / f"{n}.png", encode(noisy))
        write_durably(folder / "target" / f"{n}.png", encode(np.kron(clean, np.ones((times, times, 1), np.uint8))))
    return folder


def test_pairs_that_nothing_can_be_learnt_from_are_refused_before_anything_is_learnt(tmp_path: Path) -> None:
    def facts(folder: Path, **options: int) -> Facts:
        return TASK.prepare(open_data(folder), TASK.Options(**options), "unet")

    with pytest.raises(InputError, match=r"same: both pictures are the same in each of 6 pairs .* nothing to learn"):
        facts(paired(tmp_path / "same", 6, same=True))
    with pytest.raises(InputError, match=r"in 6 of 6 pairs .* 2 times as large. .* task.scale=2 --model espcn"):
        facts(paired(tmp_path / "larger", 6, 2))
    assert facts(tmp_path / "larger", scale=2).options["scale"] == 2
    with pytest.raises(InputError, match=r"6 of 6 .* the clean picture is of the same size, not 3 times as large"):
        facts(paired(tmp_path / "even", 6), scale=3)
    for n in range(4):
        write_durably(tmp_path / "even" / "target" / f"{n}.png", encode(np.zeros((20, 20, 3), np.uint8)))
    with pytest.raises(
        InputError, match=r"the pictures of 4 of 6 pairs looked at differ in size. They must be aligned"
    ):
        facts(tmp_path / "even")


def test_a_pair_that_cannot_be_used_is_left_out_and_said_wherever_it_lies(tmp_path: Path) -> None:
    """A clean picture that is cut short and one of another size, on every side in turn."""
    folder = paired(tmp_path / "pairs", 20)
    cut = (folder / "target" / "3.png").read_bytes()
    (folder / "target" / "3.png").write_bytes(cut[: len(cut) // 2])
    write_durably(folder / "target" / "7.png", encode(np.zeros((20, 20, 3), np.uint8)))
    samples = open_data(folder)
    for side in ("train", "val", "test"):
        held = {"3": side, "7": side, "0": "val", "1": "test"}
        data = sided(samples, [held.get(Path(sample.id).stem, "train") for sample in samples], side)
        events: list[Event] = []
        settings = {"epochs": 1, "batch": 4}
        run = train(data, task="restore", out=tmp_path / side, settings=settings, look=False, tell=events.append)
        done = evaluate(run, data=data, quick=True)
        said = [event.text for event in events if event.kind == "skip"] + list(done.unreadable.values())
        assert len(said) == 2, (side, said)
        for name, why in (
            ("3.png", "target/3.png: the PNG ends before its picture does."),
            ("7.png", "differ in size"),
        ):
            assert sum(name in one and why in one for one in said) == 1, (side, said)
        assert done.figures[0]["value"] > 5
