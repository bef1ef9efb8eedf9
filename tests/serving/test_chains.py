"""Models and steps in a row behind one name: as `apply` does it, each stage with its seconds."""

import asyncio
from pathlib import Path

import cv2
import numpy as np
import pytest

from sightline.applying.chain import Chain
from sightline.core.annotations import Labels, Objects, Picture, from_json
from sightline.core.errors import InputError, SettingsError
from sightline.core.image import encode
from sightline.serving import chains
from sightline.serving.asking import Ask
from sightline.testing.bundles import BRIGHT
from tests.serving.shelf import Shelf, engine

CHAINS = {
    "smooth": "gaussian sigma=2",
    "look": "gaussian sigma=1 | m",
    "parts": "finders.otsu | areas name=spot | keep least=20 | each (m) margin=0.1",
    "counted": "finders.otsu | areas name=spot | count",
    "both": "m | other",
}


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    made = Shelf(tmp_path)
    made.put(1, champion=True)
    made.put(5, "other", champion=True)
    return made


def spots() -> np.ndarray:
    pixels = np.zeros((80, 120, 3), np.uint8)
    cv2.rectangle(pixels, (10, 10), (40, 40), (255, 255, 255), -1)
    cv2.rectangle(pixels, (70, 20), (100, 60), (120, 120, 120), -1)
    return pixels


def test_chains_answer_as_apply_does_and_say_what_each_stage_took(shelf: Shelf) -> None:
    async def work() -> None:
        async with engine(shelf, chains=CHAINS) as made:
            pixels, data = spots(), encode(spots())
            smooth = (await made.predict(Ask("smooth", data))).answer
            assert isinstance(smooth, Picture)
            np.testing.assert_array_equal(smooth.pixels, Chain.parse(CHAINS["smooth"])(pixels).pixels)

            look = await made.predict(Ask("look", data))
            alone = await made.predict(Ask("m", Chain.parse("gaussian sigma=1")(pixels).pixels))
            assert (look.model, look.number, look.decision) == ("look", 1, alone.decision)
            assert look.answer.gap(alone.answer) == 0
            assert list(look.seconds) == ["1 gaussian sigma=1", "2 m"]
            assert min(look.seconds.values()) > 0

            counted = (await made.predict(Ask("counted", data))).answer
            assert counted.gap(Chain.parse(CHAINS["counted"])(pixels).answer) == 0

            parts = (await made.predict(Ask("parts", data))).answer
            found = Chain.parse("finders.otsu | areas name=spot | keep least=20")(pixels).answer
            assert isinstance(parts, Objects)
            assert isinstance(found, Objects)
            assert len(parts) == len(found) > 0
            bundle = shelf.versions["m"][1].path
            applied = Chain.parse(CHAINS["parts"].replace("(m)", f"({bundle})"))(pixels).answer
            assert isinstance(applied, Objects)
            for known, wanted in zip(parts.details or (), applied.details or (), strict=True):
                assert from_json(known["answer"]).gap(from_json(wanted["answer"])) < 1e-6
            for known in parts.details or ():
                answer = from_json(known["answer"])
                assert isinstance(answer, Labels)
                assert answer.names == ("v1", BRIGHT)
                assert "area" in known

            both = await made.predict(Ask("both", data))
            assert isinstance(both.answer, Labels)
            assert both.answer.names[0] == "v5"
            shelf.put(6, "other", champion=True)
            await made.refresh()  # a model within a chain is swapped as any other
            later = await made.predict(Ask("both", data))
            assert (later.number, later.seal != both.seal) == (6, True)

            with pytest.raises(InputError) as caught:
                await made.predict(Ask("look", b"nothing"))
            assert caught.value.code == "unknown_format"
            assert made.state()["chains"]["look"] == ["gaussian sigma=1", "m"]

    asyncio.run(work())


def test_a_chain_that_cannot_be_is_refused_when_the_service_starts(shelf: Shelf) -> None:
    async def work() -> None:
        async with engine(shelf, chains={"wrong": "gaussain | m"}):
            pass

    with pytest.raises(SettingsError, match="gaussian"):
        asyncio.run(work())


@pytest.mark.parametrize(("text", "wanted"), [("m sigma=2", "Known: least"), ("", "no steps|empty step")])
def test_what_a_chain_says_of_models_is_read_at_once(text: str, wanted: str) -> None:
    with pytest.raises(SettingsError, match=wanted):
        chains.parse("wrong", text, ["m"], lambda version: pytest.fail("no worker is needed"))
