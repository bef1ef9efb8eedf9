"""One chart: drawn when asked for, as SVG that takes the colours of its page or as PNG on white."""

from __future__ import annotations

import html
import io
import math
import re
import unicodedata
import warnings
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sightline.core.extras import need

INK = "#1f2328"  # becomes the colour of the surrounding text in SVG, so that one drawing serves light and dark
HUES = ("#2f7fd1", "#d9730d", "#1f9c7a", "#9a6bd1", "#c85a9a", "#8a8f98")  # apart for colour-blind eyes as well
_STYLE = {
    "font.size": 8.5,
    "font.family": "sans-serif",
    "svg.fonttype": "none",
    "svg.hashsalt": "sightline",
    "text.parse_math": False,  # a name with two dollar signs is a name, not a formula
    "axes.spines.top": False,
    "axes.spines.right": False,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK),
    "axes.linewidth": 0.6,
    **dict.fromkeys(("xtick.major.width", "ytick.major.width"), 0.6),
    **dict.fromkeys(("xtick.major.size", "ytick.major.size"), 2.5),
}
_NOBODY = {"Date": None, "Creator": None, "Format": None, "Type": None}


@dataclass(frozen=True, eq=False)
class Chart:
    """A drawing and what it says to a person who cannot see it."""

    says: str
    size: tuple[float, float]  # inches
    draw: Callable[[Any], None]  # onto a matplotlib figure

    def svg(self) -> str:
        """An `svg` element to stand in a page: it refers to nothing outside, and styles nothing outside."""
        text = self._saved("svg", {"transparent": True, "metadata": _NOBODY}).decode()
        text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", text, flags=re.S)
        text = text[text.index("<svg") :]
        used = set(re.findall(r'(?:url\(|href=")#(\w+)', text))
        own = f"c{zlib.crc32(text.encode()):08x}"  # of many charts in one page, ids would be double
        text = re.sub(r"<[^>]+>", lambda tag: _clean(tag[0], used, own), text).strip()
        return text.replace("<svg", f'<svg role="img" aria-label="{html.escape(tame(self.says, 400))}"', 1)

    def png(self, *, resolution: int = 160) -> bytes:
        """The same on white."""
        return self._saved("png", {"dpi": resolution, "facecolor": "white", "metadata": {"Software": None}})

    def _saved(self, format: str, how: Mapping[str, Any]) -> bytes:
        matplotlib = need("matplotlib")
        stream = io.BytesIO()
        with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # the browser has other fonts
            figure = need("matplotlib.figure").Figure(figsize=self.size, layout="constrained", facecolor="none")
            self.draw(figure)
            figure.savefig(stream, format=format, **how)
        return stream.getvalue()


def _clean(tag: str, used: set[str], own: str) -> str:
    """A tag without sizes, name spaces and idle ids; text between tags is never touched, it may look like one."""
    tag = re.sub(r"\s+", " ", re.sub(r' xmlns(:\w+)?="[^"]*"| version="1.1"', "", tag))
    tag = re.sub(r' id="([^"]*)"', lambda found: f' id="{own}{found[1]}"' if found[1] in used else "", tag)
    tag = re.sub(r'(url\(|href=")#', rf"\1#{own}", tag).replace(INK, "currentColor")
    return re.sub(r' (width|height)="[^"]*"', "", tag) if tag.startswith("<svg") else tag


def spoken(name: str) -> str:
    """The name of a metric as words."""
    return name.replace("_", " ")


def readable(shown: Any) -> str:
    """A number as a person writes it; what is no number is a dash, never 'nan'."""
    value = number(shown)
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "∞" if value > 0 else "−∞"
    if value and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.2e}".replace("-", "−")
    text = f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}" if abs(value) < 1000 else f"{value:,.0f}"
    return text.replace("-", "−")


def tame(name: str, longest: int = 22) -> str:
    """A short line that any drawing library takes: no control or half characters, an ellipsis at the end."""
    kept = "".join(" " if letter.isspace() else letter for letter in name[: 8 * longest])
    kept = "".join(letter for letter in kept if unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Cn", "Co"))
    return kept if len(kept) <= longest else kept[: longest - 1] + "…"


def number(value: Any) -> float:
    """A float; what is none becomes NaN, since stored numbers may be null."""
    try:
        return float("nan") if value is None else float(value)
    except (TypeError, ValueError):
        return float("nan")
