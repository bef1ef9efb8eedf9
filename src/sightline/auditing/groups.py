"""Groups of pictures as things to look at and to go on with: a page, a table, and folders that a person can name."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sightline.auditing import bars
from sightline.auditing.clustering import Clustering
from sightline.auditing.page import TINY, picture_of
from sightline.core import catalog
from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import StorageError
from sightline.core.files import write_durably
from sightline.core.finding import count_of, listed
from sightline.core.sample import Sample
from sightline.evaluating.chart import tame
from sightline.evaluating.page import bullets, document, escape, pack, pairs, section, table

CENTRAL, ODD = 8, 4  # pictures of a group that are shown
SHOWN = 30  # groups that are shown with pictures, the largest first
FOLDERS = "pictures"


@dataclass(frozen=True, slots=True)
class Written:
    """Where the answer lies."""

    page: Path
    table: Path
    folders: Path | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"page": self.page, "table": self.table, **({"folders": self.folders} if self.folders else {})}


def refuse_folders(out: Path) -> None:
    """Before the work rather than after it: folders are never mixed with what is there."""
    place = out / FOLDERS
    if place.exists() and not (place.is_dir() and not any(place.iterdir())):
        raise StorageError(f"{place} is not empty. Name another --out, or move those pictures away.")


def write_groups(made: Clustering, data: Dataset, out: Path, *, folders: bool = False, command: str = "") -> Written:
    """Write page and table, and with `folders` a copy of each picture in the folder of its group."""
    page, rows = out / "groups.html", out / "groups.csv"
    if folders:
        refuse_folders(out)
    write_durably(rows, _rows(made))
    write_durably(page, document(f"{made.name} · Sightline groups", _page(made, data, command)).encode())
    if not folders:
        return Written(page, rows)
    names = tuple(made.group_name(group) for group in range(made.count))
    placed = zip(made.places.tolist(), made.groups.tolist(), strict=True)
    samples = [Sample(data[at].id, data[at].images[:1], Labels((names[group],))) for at, group in placed]
    catalog.find("formats", "folders").write(Dataset(samples, name=made.name, names=names), out / FOLDERS)
    return Written(page, rows, out / FOLDERS)


def _rows(made: Clustering) -> bytes:
    """One line a picture."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(("picture", "group", "distance", "margin"))
    for identity, group, far, margin in zip(made.ids, made.groups, made.distances, made.margins, strict=True):
        lines.writerow((identity, made.group_name(int(group)), f"{far:.4f}", f"{margin:.4f}"))
    return text.getvalue().encode("utf-8", "surrogatepass")


def _page(made: Clustering, data: Dataset, command: str) -> str:
    shown = [
        (group, kind, row)
        for group in range(min(made.count, SHOWN))
        for kind, rows in _picked(made, group).items()
        for row in rows
    ]
    seen = [(*one, picture_of(data[int(made.places[one[2]])])) for one in shown]
    known = [(group, kind, row, picture) for group, kind, row, picture in seen if picture is not None]
    galleries: dict[tuple[int, str], str] = {}
    packed = pack([picture for *_, picture in known])
    for (group, kind, row, picture), address in zip(known, packed, strict=True):
        galleries[group, kind] = galleries.get((group, kind), "") + _figure(made, row, picture, address)
    parts = [
        f"<style>{_LOOKS}</style>",
        _head(made),
        *(_group(made, group, galleries) for group in range(min(made.count, SHOWN))),
        _smaller(made),
        _accord(made),
        _scores(made),
        _facts(made),
        section("Do it again", f"<pre><code>{escape(command)}</code></pre>") if command else "",
    ]
    return "".join(parts)


def _picked(made: Clustering, group: int) -> dict[str, list[int]]:
    """The most usual pictures of a group, and of the others the oddest."""
    central = made.central(group, CENTRAL)
    return {"central": central, "odd": [row for row in made.odd(group, ODD) if row not in central]}


def _head(made: Clustering) -> str:
    head = f'<header><p class="eyebrow">Groups without labels · by {escape(tame(made.on, 80))} · '
    head += f'{made.seconds:.1f} s</p><h1>{escape(made.name)}</h1><p class="verdict">{escape(made.line)}</p></header>\n'
    key = f'<div class="key"><span>groups</span><b>{made.count:,}</b><small>{count_of(len(made.ids), "picture")}'
    key += "</small></div>"
    sizes = {made.group_name(group): size for group, size in enumerate(made.sizes)}
    head += f'<div class="hero">{key}<div>{bars.rows(sizes)}</div></div>\n'
    return head + (section("Worth knowing", bullets(made.notes)) if made.notes else "")


def _group(made: Clustering, group: int, galleries: dict[tuple[int, str], str]) -> str:
    size, far = made.sizes[group], made.distances[made.groups == group]
    lead = f"{count_of(size, 'picture')}; as far from the middle as is usual here times {float(np.mean(far)):.2f}."
    if made.accord is not None and made.accord.inside[group]:
        lead += f" Named {listed([f'{tame(name, 40)} ({many:,})' for name, many in made.accord.inside[group]])}."
    body = f'<h3>The most usual</h3><div class="gallery">{galleries.get((group, "central"), "")}</div>'
    if (group, "odd") in galleries:
        body += f'<h3>The odd ones out</h3><div class="gallery">{galleries[group, "odd"]}</div>'
    return section(made.group_name(group), body, lead, name="group")


def _figure(made: Clustering, row: int, picture: np.ndarray, address: str) -> str:
    high, wide = picture.shape[:2]
    tiny = ' class="tiny"' if max(high, wide) < TINY else ""
    name = escape(tame(made.ids[row], 48))
    return (
        f'<figure><div class="frame"><img{tiny} src="{address}" width="{wide}" height="{high}" alt="{name}"></div>'
        f"<figcaption><b>{name}</b><span>distance {made.distances[row]:.2f}, margin {made.margins[row]:.2f}</span>"
        "</figcaption></figure>\n"
    )


def _smaller(made: Clustering) -> str:
    if made.count <= SHOWN:
        return ""
    lines = [
        f"{made.group_name(group)}: {count_of(made.sizes[group], 'picture')}" for group in range(SHOWN, made.count)
    ]
    return section("The smaller groups", bullets(lines))


def _accord(made: Clustering) -> str:
    found = made.accord
    if found is None:
        return ""
    kinds = (
        ("adjusted Rand index", found.rand, "1 the same groups, 0 as by chance"),
        ("normalised mutual information", found.information, "what names and groups tell of each other"),
        ("purity", found.purity, "share with the commonest name of their group"),
    )
    rows = [(name, f"{one.value:.3f}", f"{one.low:.3f} to {one.high:.3f}", says) for name, one, says in kinds]
    lead = f"The groups were found without the {found.names:,} names that {count_of(found.count, 'picture')} carry."
    body = table(("measure", "value", "95 % interval", "meaning"), rows, numbers=(1, 2), caption="Groups and names")
    return section("How far they accord with the names", body, lead)


def _scores(made: Clustering) -> str:
    rows = [
        (
            f"{score.count}{' (taken)' if score.count == made.count else ''}",
            f"{score.silhouette:.3f}",
            f"{score.ratio:,.1f}" if np.isfinite(score.ratio) else "none left within",
            f"{score.inertia:,.4g}",
        )
        for score in made.scores
    ]
    lead = "The silhouette says how much nearer pictures are to their own group than to the next, from -1 to 1; "
    lead += "the ratio compares the spread between groups with the spread within. More is better in both."
    heads = ("groups", "silhouette", "ratio", "squares left within")
    body = table(heads, rows, numbers=(1, 2, 3), caption="Scores of numbers of groups")
    return section("How many groups", body, lead)


def _facts(made: Clustering) -> str:
    reduced = "nothing left out" if made.reduce == "none" else made.reduce
    told = "" if made.told is None else f", which tells {made.told:.0%} of the differences"
    facts = {
        "looked at": made.on,
        "numbers of a picture": f"{made.numbers:,}",
        "reduced to": f"{reduced}{told}",
        "seed": str(made.seed),
    }
    body = pairs(facts)
    if made.skipped:
        body += f"<h3>Left out</h3>{bullets([tame(error.message, 300) for _, error in made.skipped], 12)}"
    return section("How they were found", body)


_LOOKS = """
.group .gallery{--width:116px;margin-top:8px}.group h3{font-size:.9rem;margin:16px 0 0;color:var(--dim);font-weight:500}
.frame{background:var(--ground);border-radius:8px;aspect-ratio:1;display:flex;align-items:center;justify-content:center;
overflow:hidden}
.gallery .frame img{width:100%;height:100%;object-fit:contain;border-radius:0}
.rows{display:grid;gap:5px;font-size:.9rem}
.row{display:grid;grid-template-columns:minmax(70px,180px) 1fr 64px;gap:12px;align-items:center}
.row i{height:12px;border-radius:4px;background:var(--accent);width:var(--share);min-width:2px}
.row b{text-align:right;font-weight:500;font-variant-numeric:tabular-nums}.gap{color:var(--dim);font-size:.825rem}
"""
