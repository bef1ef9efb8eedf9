"""An audit as one page: what to look at first, with pictures; how the data is spread; what was found in order."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sightline.auditing import bars
from sightline.auditing.audit import Audit
from sightline.core import catalog
from sightline.core.annotations import Objects, Regions
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.files import write_durably
from sightline.core.finding import Finding, count_of
from sightline.core.measures import eight_bits, measured
from sightline.core.sample import Sample
from sightline.evaluating.chart import spoken, tame
from sightline.evaluating.page import bullets, document, escape, pack, section

SHOWN = 8  # pictures of a finding
EDGE = 320  # pixels of the longest side of one
TINY = 96  # pixels below which a picture is enlarged with its pixels whole
_SAYS = {"stop": ("✕ stop", "bad"), "warn": ("! look first", "warn"), "note": ("i worth knowing", "dim")}
_COLUMNS = {
    "columns": "Width in pixels",
    "rows": "Height in pixels",
    "brightness": "Brightness",
    "contrast": "Contrast",
    "blur": "Blur",
    "sharpness": "Sharpness",
    "noise": "Noise in gray levels",
    "colour": "Colour",
    "entropy": "Information in bits",
}
_MARKS = {"brightness": (0.0, 0.06), "blur": (0.68, 1.0), "contrast": (0.0, 0.012), "entropy": (0.0, 1.0)}


def write_page(path: Path, made: Audit, data: Dataset, *, command: str = "") -> Path:
    """Write the page, whole or not at all; pictures are embedded, nothing is fetched and nothing runs."""
    place_of = {sample.id: place for place, sample in enumerate(data)} if made.findings or made.difficulty else {}
    shown: list[tuple[int, str, str, np.ndarray]] = []
    for number, finding in enumerate(made.findings):
        details = finding.details or ("",) * len(finding.ids)
        for identity, detail in list(zip(finding.ids, details, strict=True))[:SHOWN]:
            picture = picture_of(data[place_of[identity]]) if identity in place_of else None
            if picture is not None:
                shown.append((number, identity, detail, picture))
    packed = pack([picture for *_, picture in shown])
    galleries: dict[int, str] = {}
    for (number, identity, detail, picture), address in zip(shown, packed, strict=True):
        galleries[number] = galleries.get(number, "") + _figure(identity, detail, picture, address)
    lines = catalog.describe("checks")
    sections = [_finding(finding, lines, galleries.get(number, "")) for number, finding in enumerate(made.findings)]
    first = sum(finding.severity != "note" for finding in made.findings)
    parts = [
        f"<style>{_LOOKS}</style>",
        _head(made),
        f'<div class="{"drawn" if made.kind in ("objects", "regions") else ""}">{"".join(sections[:first])}</div>',
        f'<div class="notes">{"".join(sections[first:])}</div>',
        _spread(made, data),
        _difficulty(made, data, place_of),
        _quiet(made, lines),
        section("Do it again", f"<pre><code>{escape(command)}</code></pre>") if command else "",
    ]
    write_durably(path, document(f"{made.name} · Sightline audit", "".join(parts)).encode())
    return path


def _head(made: Audit) -> str:
    counts = {severity: sum(finding.severity == severity for finding in made.findings) for severity in _SAYS}
    badges = "".join(
        f'<span class="badge {hue}">{count} {escape(says[2:])}</span> '
        for severity, (says, hue) in _SAYS.items()
        if (count := counts[severity])
    )
    kind = "not labelled" if made.kind is None else f"labelled with {made.kind}"
    looked = count_of(made.looked, "picture") if made.looked < made.count else "every picture"
    head = f'<header><p class="eyebrow">Audit · {escape(kind)} · {escape(looked)} measured in {made.seconds:.1f} s</p>'
    head += f'<h1>{escape(made.name)}</h1><p class="verdict">{escape(_verdict(made))}</p></header>\n'
    key = f'<div class="key"><span>pictures</span><b>{_short(made.count)}</b>'
    key += f"<small>{count_of(len(made.names), 'name') if made.names else 'no names'}</small></div>"
    badges = badges or '<span class="badge good">✓ nothing found</span>'
    return head + f'<div class="hero">{key}<div><p>{badges}</p>{bars.rows(made.names)}</div></div>\n'


def _verdict(made: Audit) -> str:
    if not made.findings:
        return "Nothing was found that would mislead a model or a measurement."
    first = [finding for finding in made.findings if finding.severity != "note"]
    if made.worst == "stop":
        return "Do not learn from this yet: what is found below would make every result worthless."
    if not first:
        return "Nothing that must be mended; a few things are worth knowing."
    return f"{count_of(len(first), 'thing')} to look at before anything is learnt, the most harmful first."


def _finding(finding: Finding, lines: Mapping[str, str], gallery: str) -> str:
    says, hue = _SAYS[finding.severity]
    why = lines.get(finding.check) or _WHY.get(finding.check, "")
    text = finding.text.split("; ")[0] if finding.check == "unreadable" else finding.text
    head = f'<p class="badge {hue}">{escape(says)}</p><h2>{escape(text[:1].upper() + text[1:])}</h2>'
    body = f'<p class="why">{escape(why)}</p>' if why else ""
    body += f'<p class="do"><b>What to do</b> {escape(finding.do)}</p>' if finding.do else ""
    if gallery:
        body += f'<div class="gallery">{gallery}</div>'
    rest = [tame(f"{identity}: {detail}" if detail else identity, 300) for identity, detail in _pairs(finding)]
    if not gallery and rest:  # nothing can be shown of them, so they are named
        body += bullets(rest[:SHOWN])
    if rest[SHOWN:]:
        more = f" of {finding.count:,}" if finding.count > len(rest) else ""
        items = "".join(f"<li>{escape(line)}</li>" for line in rest[SHOWN:])
        body += f"<details><summary>{len(rest) - SHOWN} more{more}</summary><ul>{items}</ul></details>"
    return f'<section class="finding {hue}">{head}{body}</section>\n'


def _pairs(finding: Finding) -> list[tuple[str, str]]:
    return list(zip(finding.ids, finding.details or ("",) * len(finding.ids), strict=True))


def _figure(identity: str, detail: str, picture: np.ndarray, address: str) -> str:
    high, wide = picture.shape[:2]
    tiny = ' class="tiny"' if max(high, wide) < TINY else ""
    says = f"{identity}: {detail}" if detail else identity
    note = f"<span>{escape(tame(detail, 120))}</span>" if detail else ""
    return (
        f'<figure><div class="frame"><img{tiny} src="{address}" width="{wide}" height="{high}" alt="{escape(says)}">'
        f"</div><figcaption><b>{escape(tame(identity, 48))}</b>{note}</figcaption></figure>\n"
    )


def picture_of(sample: Sample) -> np.ndarray | None:
    """The first picture with its label drawn on it where that shows the fault; None where it cannot be read."""
    import cv2

    try:
        pixels = sample.images[0].read() if sample.images else None
        if pixels is None or pixels.ndim != 3:
            return None
        seen = eight_bits(pixels)
        seen = seen[..., :3] if seen.shape[2] >= 3 else seen[..., :1]
        scale = EDGE / max(seen.shape[:2])
        if isinstance(sample.truth, Objects | Regions):
            seen = _labelled(seen, sample.truth)
        if scale < 1:
            size = (max(1, round(seen.shape[1] * scale)), max(1, round(seen.shape[0] * scale)))
            seen = cv2.resize(seen, size, interpolation=cv2.INTER_AREA)
        return seen if seen.ndim == 3 else seen[..., None]
    except InputError:
        return None


def _labelled(seen: np.ndarray, truth: Any) -> np.ndarray:
    try:
        drawn: np.ndarray = catalog.find("overlays", type(truth).__name__.lower())(seen, truth)
        return drawn
    except (InputError, IndexError):  # a label that cannot be drawn is what the finding is about
        return seen


def _spread(made: Audit, data: Dataset) -> str:
    measures = measured(data)
    drawn = [
        bars.histogram(title, measures[name], mark=_MARKS.get(name))
        for name, title in _COLUMNS.items()
        if len(measures)
    ]
    if not any(drawn):
        return ""
    lead = f"{count_of(len(measures), 'picture')} measured; heights are square roots, so that few can still be seen. "
    lead += "What stands out is where a picture shows little."
    return section("How the pictures are spread", f'<div class="histograms">{"".join(drawn)}</div>', lead)


def _difficulty(made: Audit, data: Dataset, place_of: Mapping[str, int]) -> str:
    """How hard labels are to tell, as bars, with the easiest pictures beside the hardest that are believed."""
    found = made.difficulty
    if found is None:
        return ""
    drawn = bars.counted("Probability that the label is another one", found.counts, (0.0, 1.0))
    shown = ""
    for says, ids in (("easiest", found.easy), ("hardest that are still believed", found.hard)):
        seen = [(one, picture_of(data[place_of[one]])) for one in ids if one in place_of]
        known = [(one, picture) for one, picture in seen if picture is not None]
        packed = pack([picture for _, picture in known])
        figures = "".join(_figure(one, "", p, address) for (one, p), address in zip(known, packed, strict=True))
        shown += f"<div><h3>The {says}</h3><div class='gallery'>{figures}</div></div>" if figures else ""
    text = found.line[:1].upper() + found.line[1:]
    body = f'<div class="hardness"><div>{drawn}</div>{shown}</div>'
    return section("How hard the labels are to tell", body, f"{text}. Heights are square roots.")


def _quiet(made: Audit, lines: Mapping[str, str]) -> str:
    found = {finding.check for finding in made.findings}
    quiet = [name for name in lines if name not in found]
    items = "".join(f"<li><b>{escape(spoken(name))}</b> {escape(lines[name])}</li>" for name in quiet)
    return section("Looked for and not found", f'<ul class="quiet">{items}</ul>') if items else ""


def _short(count: int) -> str:
    return f"{count:,}" if count < 10_000 else f"{count / 1000:.0f}k" if count < 1_000_000 else f"{count / 1e6:.1f}M"


_WHY = {
    "wrong_labels": "Labels that a classifier which never saw them would not have given: wrong ones mislead both the "
    "learning and the measuring."
}
_LOOKS = """
.finding{border-left:5px solid var(--line)}.finding.bad{border-left-color:var(--bad)}
.finding.warn{border-left-color:var(--warn)}.finding{color:inherit!important}
.finding .badge{margin-bottom:8px}.finding.bad .badge{color:var(--bad)}.finding.warn .badge{color:var(--warn)}
.why{color:var(--dim);max-width:88ch;margin-top:4px}.do{margin-top:8px;max-width:88ch}
.do b{color:var(--accent);font-weight:600;margin-right:.4em}
.finding .gallery{--width:150px;margin-top:18px}
.frame{background:var(--ground);border-radius:8px;aspect-ratio:1;display:flex;align-items:center;justify-content:center;
overflow:hidden}
.gallery .frame img{width:100%;height:100%;object-fit:contain;border-radius:0}
.notes{columns:2;column-gap:20px;padding:20px 0}.notes .gallery{--width:104px;gap:12px 10px}
.notes h2{font-size:1.02rem}.notes section{padding:20px 22px;break-inside:avoid;margin:0 0 20px}
.notes+section{margin-top:0}.notes:empty{padding:10px 0}
.drawn .gallery{--width:210px!important}
.hero .badge{margin-right:6px}
.rows{display:grid;gap:5px;font-size:.9rem}
.row{display:grid;grid-template-columns:minmax(70px,180px) 1fr 64px;gap:12px;align-items:center}
.row span{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.row i{height:12px;border-radius:4px;background:var(--accent);width:var(--share);min-width:2px}
.row b{text-align:right;font-weight:500;font-variant-numeric:tabular-nums}
.gap{color:var(--dim);font-size:.825rem;padding:2px 0}
.histograms{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,240px),1fr));gap:26px 34px}
.histogram svg{width:100%;height:auto;display:block}.histogram figcaption{margin:0 0 6px}
.hardness{display:grid;grid-template-columns:minmax(220px,1fr) 2fr 2fr;gap:28px}.hardness .gallery{--width:90px}
.hardness h3{font-size:.9rem;margin:0 0 8px}
.quiet{columns:2;column-gap:40px;font-size:.9rem;list-style:none;padding:0}
.quiet li{break-inside:avoid;padding-left:1.5em;position:relative;color:var(--dim)}
.quiet li::before{content:"✓";position:absolute;left:0;color:var(--good);font-weight:700}
.quiet b{color:var(--ink);font-weight:600}.quiet b::after{content:":"}
@media (max-width:760px){.quiet{columns:1}.hardness{grid-template-columns:1fr}.notes{columns:1}}
"""
