"""Charts stand alone, say what they show, and take any name and any number."""

import math
import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import numpy as np
import pytest

from sightline.evaluating.chart import INK, Chart, readable, tame
from sightline.evaluating.charts import (
    MOST_NAMES,
    confusion_chart,
    history_chart,
    history_panels,
    history_png,
    interval_chart,
    schedule_chart,
)
from sightline.evaluating.report import Figure

HOSTILE = [
    "<script>alert(1)</script>",
    "$x^2$ $\\frac{$",
    "a\x00b\u202ec",
    '" onload="x',
    "猫 🐈",
    ' id="m1" #1f2328',
    "\udcff",
    "",
]


def history(epochs: int = 6) -> list[dict[str, Any]]:
    return [
        {
            "epoch": number,
            "phase": int(number > 2),
            "loss": 2.0 / number,
            "parts": {"class": 1.5 / number, "box": 0.5 / number},
            "rate": 0.01 / number,
            "val": {"accuracy": 0.9 - 0.01 * abs(number - 4), "log_loss": None if number == 2 else 0.3},
            "best": number in (1, 4),
        }
        for number in range(1, epochs + 1)
    ]


def words(chart: Chart) -> list[str]:
    """The texts of a chart; parsing also shows that the element is whole."""
    svg = chart.svg().replace("xlink:href", "href")
    return [node.text or "" for node in ElementTree.fromstring(svg).iter() if node.tag == "text"]


def every(names: list[str]) -> list[Chart]:
    figures = [Figure(name, 0.5, 0.4, 0.6, "higher", 9, "samples", 0.3) for name in names]
    rows = [{**row, "val": dict.fromkeys(names, 0.5), "parts": dict.fromkeys(names, 1.0)} for row in history()]
    return [
        confusion_chart(names, np.eye(len(names), dtype=int) + 1),
        interval_chart(figures),
        *history_panels(rows, most=9),
        schedule_chart([0.1, 0.01]),
    ]


def test_the_kept_epoch_and_the_phases_are_marked() -> None:
    loss, accuracy, log_loss = history_panels(history())
    assert "kept: epoch 4, 0.900" in words(accuracy)
    assert "kept: epoch 4, 0.500" in words(loss)
    assert "phase 2" in words(loss)
    assert "The epoch kept is 4" in accuracy.says
    assert {"class", "box"} <= set(words(loss))
    assert "Validation log loss" in words(log_loss)


def test_epochs_after_the_kept_one_lie_under_a_veil() -> None:
    ended = [row | {"best": True} for row in history()]
    shapes = [history_panels(rows)[1].svg().count("<path") for rows in (history(), ended)]
    assert shapes[0] == shapes[1] + 1


def test_a_history_that_is_short_or_has_holes_is_drawn() -> None:
    assert history_panels([]) == []
    assert history_png([])[:4] == b"\x89PNG"
    assert history_png(history(1))[:4] == b"\x89PNG"
    holes = [{"epoch": 1, "phase": 0, "loss": None, "parts": {}, "val": {"accuracy": None}}] * 2
    for panel in history_panels([*holes, {"loss": math.inf, "val": {}}]):
        assert words(panel)


def test_a_loss_over_decades_is_drawn_on_a_logarithm() -> None:
    rows = [row | {"parts": {}, "loss": 10.0 ** (3 - row["epoch"])} for row in history()]
    assert any("mathdefault" in word or "10" in word for word in words(history_panels(rows)[0]))
    assert history_chart(rows).size[0] > history_panels(rows)[0].size[0]


def test_each_number_of_a_confusion_stands_in_its_cell() -> None:
    chart = confusion_chart(["cat", "dog"], np.array([[31, 4], [7, 58]]))
    assert {"31", "4", "7", "58", "cat", "dog", "is so", "answered"} <= set(words(chart))
    assert "89 of 100 right" in chart.says


def test_of_many_names_those_mixed_up_most_are_drawn() -> None:
    matrix = np.diag(np.full(60, 9))
    matrix[50, 55] = 4
    found = words(confusion_chart([f"name {k}" for k in range(60)], matrix))
    assert {"name 50", "name 55"} <= set(found)
    assert len([word for word in found if word.startswith("name")]) == 2 * MOST_NAMES


def test_shares_stand_on_one_scale_and_the_baseline_is_named() -> None:
    figures = [
        Figure("accuracy", 0.91, 0.88, 0.94, "higher", 9, "samples", 0.3),
        Figure("log_loss", 1.4, 1.2, 1.9, "lower", 9, "samples", 2.5),
        Figure("broken", math.nan, math.nan, math.nan, "higher", 9, "samples"),
    ]
    chart = interval_chart(figures)
    found = words(chart)
    assert {"accuracy", "log loss", "higher is better", "lower is better"} <= set(found)
    assert found.count("baseline") == 2
    assert {"0.0", "1.0"} <= set(found)
    assert "accuracy 0.910 from 0.880 to 0.940" in chart.says
    assert interval_chart(figures[2:]).says == "No numbers."


def test_a_chart_refers_to_nothing_outside_and_styles_nothing_outside() -> None:
    for chart in every(["cat", "dog"]):
        svg = chart.svg()
        assert "://" not in svg
        assert "<style" not in svg
        assert "<?xml" not in svg
        assert all(found.startswith("#") for found in re.findall(r'href="([^"]*)"', svg))
        assert set(re.findall(r"url\(#(\w+)\)", svg)) <= set(re.findall(r'id="(\w+)"', svg))
        assert "currentColor" in svg
        assert INK not in svg
        assert svg.startswith('<svg role="img" aria-label="')


def test_names_of_strangers_stay_text() -> None:
    for chart in every(HOSTILE):
        svg = chart.svg().replace("xlink:href", "href")
        tree = ElementTree.fromstring(svg)
        assert {node.tag for node in tree.iter()} <= {"svg", "g", "path", "text", "defs", "use", "clipPath", "rect"}
        assert not any(key.startswith("on") for node in tree.iter() for key in node.attrib)
        assert chart.png()[:4] == b"\x89PNG"
    found = words(confusion_chart(HOSTILE, np.eye(len(HOSTILE), dtype=int)))
    assert tame(HOSTILE[0]) in found
    assert HOSTILE[5] in found, "what only looks like markup is not cleaned away"


def test_the_same_is_drawn_twice() -> None:
    for one, two in zip(every(["cat", "dog"]), every(["cat", "dog"]), strict=True):
        assert one.svg() == two.svg()
    assert history_png(history()) == history_png(history())


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.91234, "0.912"),
        (-0.5, "−0.500"),
        (12.345, "12.3"),
        (1234567.0, "1.23e+06"),
        (12345.6, "12,346"),
        (0.00001, "1.00e−05"),
        (0.0, "0.000"),
        (math.nan, "–"),
        (None, "–"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        ("many", "–"),
    ],
)
def test_numbers_are_written_for_people(number: Any, text: str) -> None:
    assert readable(number) == text
