"""One page of HTML that stands alone: elements that escape what they hold, pictures inside it, its looks."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

MOST_BYTES = 2_200_000  # of pictures in a page, before base64 makes them a third larger
_EDGES = (640, 480, 360, 240, 160)  # the longest side of a picture, made smaller until all fit
# Nothing runs and nothing is fetched, whatever a file name says.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def escape(text: object) -> str:
    """Text of strangers as text: no tags, no half characters, no control characters."""
    kept = str(text).encode("utf-8", "replace").decode("utf-8")
    return html.escape(
        "".join(letter if letter >= " " or letter in "\n\t" else "\ufffd" for letter in kept), quote=True
    )


def pack(pictures: Sequence[np.ndarray]) -> list[str]:
    """Pictures as data addresses: as large as the room of a page allows, all by the same rule."""
    packed: list[bytes] = []
    for edge in _EDGES:
        packed = [_webp(picture, edge) for picture in pictures]
        if sum(map(len, packed)) <= MOST_BYTES:
            break
    return ["data:image/webp;base64," + base64.b64encode(data).decode() for data in packed]


def _webp(picture: np.ndarray, edge: int) -> bytes:
    from PIL import Image

    pixels = (
        picture
        if picture.ndim == 3 and picture.shape[2] == 3
        else np.repeat(picture.reshape(*picture.shape[:2], 1), 3, 2)
    )
    shown = Image.fromarray(np.ascontiguousarray(pixels, np.uint8))
    longest = max(shown.size)
    if longest > edge:
        shown = shown.resize([max(1, side * edge // longest) for side in shown.size], Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    # Small pictures are enlarged by the page, where the traces of lossy packing would show.
    shown.save(stream, "WEBP", lossless=longest <= 128, quality=80, method=4)
    return stream.getvalue()


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[int] = (), caption: str) -> str:
    """A table whose first column names its rows; cells are escaped, columns of numbers stand flush right."""
    right = dict.fromkeys(numbers, ' class="number"')
    head = "".join(f'<th scope="col"{right.get(place, "")}>{escape(text)}</th>' for place, text in enumerate(heads))
    body = ""
    for row in rows:
        first, *rest = row
        cells = "".join(f"<td{right.get(place, '')}>{escape(text)}</td>" for place, text in enumerate(rest, 1))
        body += f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>\n'
    caption = f'<caption class="unseen">{escape(caption)}</caption>'
    return f'<div class="wide"><table>{caption}<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>'


def pairs(facts: Mapping[str, str]) -> str:
    """Names and what they are, as a list that flows into columns."""
    return (
        "<dl>" + "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>\n" for k, v in facts.items()) + "</dl>"
    )


def bullets(lines: Sequence[str], most: int = 40) -> str:
    """Lines, the first of them in view and the others to unfold."""
    items = [f"<li>{escape(line)}</li>" for line in lines]
    rest = "".join(items[most:])
    more = f"<details><summary>{len(lines) - most} more</summary><ul>{rest}</ul></details>" if rest else ""
    return f"<ul>{''.join(items[:most])}</ul>{more}"


def section(title: str, body: str, lead: str = "", *, name: str = "") -> str:
    """A part of the page under its heading."""
    lead = f'<p class="lead">{escape(lead)}</p>' if lead else ""
    return f'<section class="{name}"><h2>{escape(title)}</h2>{lead}\n{body}</section>\n'


def document(title: str, body: str) -> str:
    """The whole page."""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>{_LOOKS}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )


_LOOKS = """
:root{--ground:#f6f7f9;--card:#fff;--ink:#1b1f24;--dim:#5d6672;--line:#e1e4e9;--good:#11765a;--warn:#9a5b00;--bad:#b3301f;
--accent:#2f7fd1;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--ground:#101317;--card:#181c22;--ink:#e9ecf0;--dim:#98a2af;--line:#2a3038;
--good:#4fc79f;--warn:#e8a33d;--bad:#ff8a78;--accent:#6cb0f2}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1120px;margin:0 auto;padding:40px 24px 64px}
h1,h2,h3,p,ul,dl,figure{margin:0}
h1{font-size:clamp(1.5rem,3.4vw,2.15rem);line-height:1.2;letter-spacing:-.015em;text-wrap:balance;overflow-wrap:anywhere}
h2{font-size:1.15rem;letter-spacing:-.005em;margin-bottom:2px}
.eyebrow{color:var(--dim);font-size:.875rem;margin-bottom:6px;overflow-wrap:anywhere}
.lead{color:var(--dim);font-size:.925rem;margin-bottom:16px;max-width:88ch}
h2+:not(.lead){margin-top:14px}
.verdict{font-size:1.15rem;line-height:1.45;margin-top:14px;max-width:62ch;overflow-wrap:anywhere}
section,.hero{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:24px 26px;margin-top:20px}
.hero{display:grid;grid-template-columns:auto 1fr;gap:12px 44px;align-items:center;margin-top:26px}
.key b{display:block;font-size:clamp(3rem,8vw,4.6rem);line-height:1;letter-spacing:-.04em;font-weight:650;
font-variant-numeric:tabular-nums}
.key span{display:block;color:var(--dim);margin-bottom:8px}
.key small{display:block;color:var(--dim);font-size:.95rem;margin-top:8px}
.badge{display:inline-block;border-radius:99px;padding:3px 12px;font-size:.875rem;font-weight:600;
border:1px solid currentColor;margin-bottom:12px}
.standings h2{margin-bottom:8px}
.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}.dim{color:var(--dim)}
.ruler{width:100%;height:auto;display:block;overflow:visible}
.halves{display:grid;grid-template-columns:1fr 1fr;gap:24px 36px;align-items:start}
.halves>*{min-width:0}
.halves svg,.chart svg{width:100%;height:auto;display:block}
svg text{font-family:inherit!important}
svg *{stroke-linejoin:round;stroke-linecap:butt}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.925rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:9px 14px 9px 0;border-bottom:1px solid var(--line);vertical-align:baseline;
overflow-wrap:break-word}
thead th{color:var(--dim);font-weight:500;font-size:.825rem;white-space:nowrap}
tbody th{font-weight:600;min-width:6.5em;max-width:22em}tbody tr:last-child>*{border-bottom:0}
.number{text-align:right;white-space:nowrap}
.gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,var(--width,210px)),1fr));gap:18px 16px}
.gallery img{width:100%;height:auto;display:block;border-radius:8px;background:var(--ground)}
.gallery img.tiny{image-rendering:pixelated}
figcaption{font-size:.85rem;line-height:1.4;margin-top:7px;overflow-wrap:anywhere}
figcaption b{font-weight:600;display:block}figcaption span{color:var(--dim)}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,300px),1fr));gap:12px 36px}
dt{color:var(--dim);font-size:.825rem}dd{margin:0;font-size:.925rem;overflow-wrap:anywhere}
ul{padding-left:1.15em}li{margin:5px 0;overflow-wrap:anywhere}li::marker{color:var(--dim)}
pre{margin:0;padding:14px 16px;background:var(--ground);border:1px solid var(--line);border-radius:8px;
white-space:pre-wrap;overflow-wrap:anywhere;font:.875rem/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
summary{cursor:pointer;color:var(--accent);margin-top:8px}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
@media screen and (max-width:760px){main{padding:24px 14px 40px}section,.hero{padding:18px 16px;border-radius:12px}
.hero,.halves{grid-template-columns:1fr}}
@media print{:root{--ground:#fff;--card:#fff;--ink:#111;--dim:#555;--line:#ccc;--good:#11765a;--warn:#9a5b00;
--bad:#b3301f}body{font-size:11pt}main{max-width:none;padding:0}section,.hero{border-radius:0;padding:12px 0;
border-width:1px 0 0;
margin-top:12px}.hero,.standings,figure,tr,svg,img{break-inside:avoid}p,li{break-inside:avoid}h2,.lead,caption{break-after:avoid}
thead{display:table-header-group}.wide{overflow:visible}table{font-size:8.5pt}th,td{padding:4px 8px 4px 0}
tbody th{min-width:0}.halves{gap:8px 20px}.halves.figures{grid-template-columns:1fr}.halves.figures svg{max-width:12cm}
.gallery{grid-template-columns:repeat(auto-fill,minmax(36mm,1fr));gap:10px}
.gallery.five{grid-template-columns:repeat(5,1fr);margin-bottom:4px!important}details:not([open])>summary{display:none}}
@page{size:A4;margin:14mm 13mm}
"""
