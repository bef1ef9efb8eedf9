"""A chart in a page, or the words for it where the library that draws is missing."""

from __future__ import annotations

from sightline.core.errors import MissingExtraError
from sightline.evaluating.chart import Chart
from sightline.evaluating.page import escape


def drawn(chart: Chart) -> str:
    """The chart in the page, or what it would have said and the line that installs what draws it."""
    try:
        return f'<div class="chart">{chart.svg()}</div>'
    except MissingExtraError as error:
        return f'<p class="lead">{escape(chart.says)} (Not drawn: {escape(error.message)})</p>'
