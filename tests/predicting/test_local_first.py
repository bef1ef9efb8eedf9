"""A small model here and a large one in a service: real processes, and a few servers that misbehave."""

import io
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from sightline.core import catalog
from sightline.core.annotations import Labels
from sightline.core.encoding import encode, encode_as
from sightline.core.errors import InputError, ServingError, SettingsError
from sightline.core.image import ArrayImage, BytesImage, FileImage, read_image
from sightline.core.progress import Event
from sightline.core.sample import Sample
from sightline.predicting.local_first import LocalFirst, ask, outgoing
from sightline.predicting.model import Model, load
from sightline.predicting.remote import TOKEN, Remote
from tests.predicting.strange import Answer, names, strange, told
from tests.server.conftest import NAMES, Running, coloured, make_bundle, make_tokens, start_service


def mixed(first: str = "red", second: str = "green", size: int = 24) -> np.ndarray:
    """A picture of two colours, the first a little stronger: the small model scores 0.57, the large one 0.95."""
    pixels = np.zeros((size, size, 3), np.uint8)
    pixels[..., NAMES.index(first)], pixels[..., NAMES.index(second)] = 150, 140
    return pixels


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load(make_bundle(tmp_path_factory.mktemp("small") / "colours"), threads=1)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with a model of the same names that is surer, and with one of other names."""
    folder = tmp_path_factory.mktemp("service")
    large = make_bundle(folder / "large", scale=0.3)
    other = make_bundle(folder / "fruits", names=("apple", "pear", "plum"))
    tokens = make_tokens(folder / "tokens.json")
    for scope, token in tokens.items():
        (folder / scope).write_text(token)
    running = start_service(
        folder, str(large), str(other), "--workers", "1", "--token-file", "tokens.json", tokens=tokens
    )
    yield running
    assert running.stop() == 0


@pytest.fixture
def both(service: Running, small: Model) -> Callable[..., LocalFirst]:
    def made(name: str = "large", *, scope: str = "infer", **named: object) -> LocalFirst:
        token = service.log.parent / scope
        return ask(f"{service.base}/models/{name}", small, token_file=token, **named)  # type: ignore[arg-type]

    return made


def test_what_is_sure_stays_and_what_is_not_is_answered_elsewhere(
    both: Callable[..., LocalFirst], service: Running, small: Model
) -> None:
    sure, unsure = [encode(coloured(name)) for name in NAMES], [encode(mixed("blue", "red")), encode(mixed())]
    before = len(service.lines())
    with both(confidence=0.8) as asking:
        given = asking.predict([*sure, *unsure])
    assert [one.by for one in given] == ["here", "here", "here", "large@1", "large@1"]
    assert [one.answer.best for one in given] == ["red", "green", "blue", "blue", "red"]
    assert all(one.alone == "" and one.decision is not None and one.decision.score > 0.9 for one in given)
    assert small.predict(unsure[0])[0].scores.max() < 0.6
    counts = asking.counts
    assert (counts.pictures, counts.unsure, counts.asked, counts.answered) == (5, 2, 2, 2)
    assert counts.sent == sum(map(len, unsure))
    assert counts.all_bytes == sum(map(len, sure + unsure))
    assert counts.saved == pytest.approx(1 - counts.sent / counts.all_bytes)
    assert counts.here_seconds > 0
    assert counts.there_seconds > 0
    until = time.monotonic() + 5  # the log is written once the answer has left
    while len(
        asked := [line for line in service.lines()[before:] if line.get("route") == "/models/{name}/predict"]
    ) < len(unsure):
        assert time.monotonic() < until
        time.sleep(0.01)
    assert [line["bytes_in"] for line in asked] == [len(data) for data in unsure]


@pytest.mark.parametrize(("confidence", "sent"), [(0.0, 0), (0.56, 0), (0.58, 1), (1.0, 2)])
def test_confidence_says_what_leaves(both: Callable[..., LocalFirst], confidence: float, sent: int) -> None:
    with both(confidence=confidence) as asking:
        asking.predict([coloured("green"), mixed()])
        assert asking.counts.asked == sent


def test_who_may_not_ask_hears_so_at_once(
    both: Callable[..., LocalFirst], service: Running, small: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(TOKEN, raising=False)
    with ask(f"{service.base}/models/large", small) as asking:
        with pytest.raises(ServingError, match="--token-file") as caught:
            asking.predict(mixed())
        assert caught.value.code == "unauthorised"
    with both(scope="read") as asking, pytest.raises(ServingError, match="scope 'infer'"):
        asking.predict(mixed())
    with both("larger") as asking, pytest.raises(ServingError, match="Name a model that it has") as caught:
        asking.predict(mixed())
    assert caught.value.code == "not_found"
    with both("fruits") as asking, pytest.raises(SettingsError, match="do not know the same names, such as 'apple'"):
        asking.predict(mixed())


def test_a_token_in_the_environment_serves_too(service: Running, small: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, service.tokens["infer"])
    with ask(f"{service.base}/models/large", small) as asking:
        assert asking.predict(mixed())[0].by == "large@1"


def test_limits_that_are_said_hold_elsewhere_too(both: Callable[..., LocalFirst]) -> None:
    with both(least=0.99) as asking:
        [given] = asking.predict(mixed())
    assert given.by == "large@1"
    assert given.decision is not None
    assert given.decision.why == "scores less than 0.99"


def test_a_service_that_is_killed_takes_no_answer_with_it(small: Model, tmp_path: Path) -> None:
    running = start_service(tmp_path, str(make_bundle(tmp_path / "large", scale=0.3)), "--workers", "1")
    try:
        with ask(f"{running.base}/models/large", small) as asking:
            assert asking.predict(mixed())[0].by == "large@1"
            running.stop(signal.SIGKILL)
            given = asking.predict([mixed()] * 6)
    finally:
        running.process.kill()
        running.close()
    assert [one.by for one in given] == ["here"] * 6
    assert [one.answer.best for one in given] == ["red"] * 6
    assert ["refused" in one.alone and "left alone" in one.alone for one in given] == [False] * 3 + [True] * 3
    assert (asking.counts.unsure, asking.counts.asked, asking.counts.answered) == (7, 4, 1)
    assert "6 unsure without an answer from there" in asking.counts.told()


def test_an_answer_of_another_kind_is_of_a_model_that_was_not_meant(small: Model) -> None:
    with (
        strange(told({"kind": "text", "text": "a cat"})) as elsewhere,
        ask(elsewhere.address, small) as asking,
        pytest.raises(SettingsError, match="answers with Text, and the model here with Labels"),
    ):
        asking.predict(mixed())


def noted(pixels: np.ndarray, turn: int, **options: object) -> bytes:
    """A JPEG that says where it was taken, by what, and which side is up; with a comment, a thumbnail and a trailer."""
    exif = Pillow.Exif()
    exif[0x0112], exif[0x010F], exif[0x8825] = turn, "Camera 5", {1: "N", 2: (52.0, 30.0, 0.0)}
    stream = io.BytesIO()
    profile = None
    if options.pop("profile", False):
        from PIL import ImageCms

        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Pillow.fromarray(pixels).save(
        stream, "JPEG", exif=exif, comment=b"at home", icc_profile=profile, xmp=b"<x:xmpmeta>somewhere", **options
    )
    return stream.getvalue() + b"a film after the end" + encode_as(coloured("red"), ".jpg")


@pytest.mark.parametrize("turn", [1, 3, 6, 8])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1, "profile": True}], ids=str)
def test_what_leaves_is_the_same_picture_without_its_notes(turn: int, options: dict[str, object], small: Model) -> None:
    pixels = np.random.default_rng(turn).integers(100, 150, (41, 50, 3)).astype(np.uint8)
    data = noted(pixels, turn, **options)
    with strange(names()) as elsewhere, ask(elsewhere.address, small, confidence=1) as asking:
        [given] = asking.predict(data)
    assert given.by == "large@7"
    [sent] = elsewhere.bodies
    assert (read_image(sent) == read_image(data)).all()
    for word in (b"Camera", b"at home", b"somewhere", b"a film", b"GPS", b"JFXX"):
        assert word not in sent
    with Pillow.open(io.BytesIO(sent)) as left:
        assert dict(left.getexif()) == ({} if turn == 1 else {0x0112: turn})
        assert left.getexif().get_ifd(0x8825) == {}
    assert asking.counts.sent == len(sent) < len(data)


def test_pictures_that_are_sent_can_be_smaller(small: Model, tmp_path: Path) -> None:
    pixels = np.repeat(np.repeat(mixed(size=40), 20, 0), 10, 1)  # 800 x 400
    (tmp_path / "a.jpg").write_bytes(noted(pixels, 6))  # lies on its side
    for image in (FileImage(tmp_path / "a.jpg"), BytesImage(encode(pixels)), ArrayImage(pixels)):
        sent = read_image(outgoing(image, 160))
        assert max(sent.shape) == 160
        assert sent.shape == ((80, 160, 3) if isinstance(image, FileImage) else (160, 80, 3))
        assert np.abs(sent.astype(int) - mixed(size=1)).max() <= 6
    assert (read_image(outgoing(ArrayImage(pixels), 800)) == pixels).all()
    deep = (pixels[:, :, :1].astype(np.uint16)) * 200
    assert read_image(outgoing(ArrayImage(deep), 100)).dtype == np.uint16
    with strange(names()) as elsewhere, ask(elsewhere.address, small, side=100) as asking:
        asking.predict(tmp_path / "a.jpg")
    assert max(read_image(elsewhere.bodies[0]).shape) == 100
    assert asking.counts.saved > 0.5


def test_pixels_without_a_file_count_as_those_that_were_sent(small: Model) -> None:
    with strange(names()) as elsewhere, ask(elsewhere.address, small) as asking:
        asking.predict([coloured("red"), mixed(), coloured("green"), mixed("green", "blue")])
    assert (asking.counts.asked, asking.counts.without) == (2, 4)
    assert asking.counts.all_bytes == 2 * asking.counts.sent
    assert asking.counts.saved == 0.5


def test_a_picture_that_cannot_be_read_is_an_error_and_is_not_sent(small: Model) -> None:
    bad = Sample("bad", (BytesImage(b"\xff\xd8\xff no", "bad"),))
    good = Sample("good", (ArrayImage(mixed()),))
    with strange(names()) as elsewhere, ask(elsewhere.address, small) as asking:
        found = {sample.id: given for sample, given in asking.predict_all([bad, good])}
        assert isinstance(found["bad"], InputError)
        assert not isinstance(found["good"], InputError)
        with pytest.raises(InputError):
            asking.predict(b"\xff\xd8\xff no")
    assert len(elsewhere.bodies) == 1


def test_what_cannot_be_sent_alone_stays(small: Model) -> None:
    prompted = Sample("prompted", (ArrayImage(mixed()),), given={"point": [1, 2]})
    with strange(names()) as elsewhere, ask(elsewhere.address, small) as asking:
        [(_, given)] = asking.predict_all([prompted])
    assert not isinstance(given, InputError)
    assert "prompts" in given.alone
    assert elsewhere.bodies == []
    assert asking.counts.told().startswith("1 of 1 pictures answered here, 0 elsewhere, 1 unsure without an answer")
    assert "nothing sent" in asking.counts.told()


def test_a_refused_picture_keeps_the_answer_here(small: Model) -> None:
    refused = Answer(413, b'{"error": "Too large.", "code": "body"}')
    with strange(refused) as elsewhere, ask(elsewhere.address, small) as asking:
        [given] = asking.predict(mixed())
    assert isinstance(given.answer, Labels)
    assert given.alone == "it answers 413 (body: Too large)"


@pytest.mark.parametrize(
    ("named", "said"),
    [({"confidence": 2.0}, "confidence = 2"), ({"side": 3}, "send_side = 3"), ({"seconds": 0.0}, "wait = 0")],
)
def test_a_setting_that_cannot_be_meant_is_refused(small: Model, named: dict[str, float], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        ask("http://127.0.0.1:1/models/large", small, **named)  # type: ignore[arg-type]


def test_models_that_do_not_say_how_sure_they_are_ask_nobody(small: Model) -> None:
    remote = Remote("http://127.0.0.1:1/models/large")
    with pytest.raises(SettingsError, match="answers with a Vector"):
        LocalFirst(replace(small, task=catalog.find("tasks", "embed").TASK), remote)
    with pytest.raises(SettingsError, match="places would be"):
        LocalFirst(replace(small, task=catalog.find("tasks", "detect").TASK), remote, side=64)


def test_sending_in_the_clear_is_said_aloud(small: Model) -> None:
    heard: list[Event] = []
    for address in ("http://192.0.2.1/models/a", "https://192.0.2.1/models/a", "http://127.0.0.1:8000/models/a"):
        ask(address, small, tell=heard.append).close()
    assert [event.kind for event in heard] == ["warn"]
    assert "192.0.2.1" in heard[0].text
