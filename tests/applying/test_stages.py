"""The page of stages stands alone and shows each step once, whatever the pictures are called."""

import re

import numpy as np
import pytest

from sightline.applying.chain import Chain
from sightline.applying.stages import histogram, stages_page
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample
from tests.applying.conftest import picture

pytestmark = pytest.mark.usefixtures("another")


def test_every_stage_is_there_with_its_step_and_histogram() -> None:
    chain = Chain.parse("brighten by=2 | finders.otsu | areas name='<b>' | rule name=x | cut size=5,6")
    samples = [Sample(name, (ArrayImage(picture(1)),)) for name in ("one", "<script>alert(1)</script>")]
    page = stages_page(chain, samples)
    assert page.count("<figure>") == page.count("<svg") == page.count("data:image/webp") == 12
    for step in chain.steps[:2]:
        assert page.count(f"{step.text}</b>") == 2
    assert "<script" not in page
    assert "name=<b>" not in page
    assert "name=&lt;b&gt;" in page
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert re.search(r"found \d+ &lt;b&gt;", page)
    assert "6 x 5" in page


def test_a_step_that_fails_ends_the_row_with_its_reason() -> None:
    light = Sample("light", (ArrayImage(np.full((6, 6, 3), 255, np.uint8)),))
    page = stages_page(Chain.parse("brighten by=0 | fussy | finders.otsu"), [light])
    assert page.count("<figure>") == 2
    assert "too light for this step" in page


def test_a_histogram_spans_the_depth() -> None:
    for dtype in ("uint8", "uint16"):
        drawn = histogram(np.full((4, 4, 1), np.iinfo(dtype).max, dtype))
        points = re.findall(r'points="([^"]*)"', drawn)
        assert len(points) == 1
        heights = [float(pair.split(",")[1]) for pair in points[0].split()[1:-1]]
        assert heights.index(min(heights)) == len(heights) - 2
    assert histogram(picture(1)).count("<polygon") == 3
