"""What each confidence would send and get right, counted on pictures whose names are known."""

from dataclasses import replace

import pytest

from sightline.core.annotations import Labels, Vector
from sightline.core.errors import ServingError, SettingsError
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample
from sightline.predicting.confidences import curve
from sightline.predicting.local_first import ask
from sightline.predicting.model import Model, load
from tests.predicting.strange import Answer, names, strange
from tests.predicting.test_local_first import mixed
from tests.server.conftest import NAMES, coloured, make_bundle

SAMPLES = [
    *(Sample(name, (ArrayImage(coloured(name)),), Labels((name,))) for name in NAMES),  # 0.99 and more, all right
    Sample("mixed", (ArrayImage(mixed("red", "blue")),), Labels(("blue",))),  # 0.57, and wrong
]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load(make_bundle(tmp_path_factory.mktemp("small") / "colours"), threads=1)


def test_the_curve_goes_from_none_sent_to_all_sent(small: Model) -> None:
    truths = [names(tuple(float(name == known) for known in NAMES)) for name in (*NAMES, "blue")]
    with strange(lambda number: truths[number - 1]) as elsewhere, ask(elsewhere.address, small) as both:
        points = curve(both, SAMPLES)
        assert len(elsewhere.bodies) == 4
    told = [(point.confidence, point.sent, point.right, point.count) for point in points]
    assert (told[0], told[-1]) == ((None, 0, 3, 4), (None, 4, 4, 4))
    assert told[1:4] == [(0.5, 0, 3, 4), (0.6, 1, 4, 4), (0.7, 1, 4, 4)]


def test_what_cannot_be_compared_is_refused(small: Model) -> None:
    red = SAMPLES[0]
    with strange(names()) as elsewhere, ask(elsewhere.address, small) as both:
        for samples in ([], [replace(red, truth=None)], [replace(red, truth=Vector(red.pixels()))]):
            with pytest.raises(SettingsError):
                curve(both, samples)
    with (
        strange(Answer(500)) as broken,
        ask(broken.address, small) as both,
        pytest.raises(ServingError, match="must answer all pictures"),
    ):
        curve(both, SAMPLES)
