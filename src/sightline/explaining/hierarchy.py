"""How a network sees, for teaching: its first filters, its maps of a picture level by level, and what excites them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sightline.core.errors import SettingsError
from sightline.core.progress import Event, Tell, silent
from sightline.core.run import Run, open_run
from sightline.core.sample import Sample
from sightline.core.sides import held_out, reopen
from sightline.evaluating.page import document, escape, pack, section
from sightline.explaining.exciting import excite
from sightline.explaining.page import enlarged, overlay
from sightline.explaining.placing import back
from sightline.explaining.recorder import recording
from sightline.explaining.subject import Subject, View
from sightline.predicting.answers import torch_run
from sightline.predicting.model import trained

if TYPE_CHECKING:
    from torch import Tensor

FILTERS = 48  # shown of the first layer
EACH = 6  # features shown of a level
NAMES = 12  # names that are dreamt of

Figure = tuple[np.ndarray, str, str]


def hierarchy(what: Any, sample: Sample | None = None, *, data: Any = None, tell: Tell = silent) -> bytes:
    """One page about a run and one picture: the one given, or the first that the run held out."""
    if not isinstance(what, Run) and not Run(Path(str(what))).exists and not (Run(Path("runs") / str(what))).exists:
        raise SettingsError(f"{what} is no run; the hierarchy of a network is shown of the run that it was trained in.")
    run = open_run(what)
    task, facts, network = trained(run)
    if sample is None:
        held = held_out(reopen(run.info, data, folder=run.path))[1]
        sample = held[0]
    view = Subject(task, facts, torch_run(network), network).look([sample])
    title = f"{run.info['model']}: {run.info['task']} on {run.info['data']['name']}"
    head = f'<header><p class="eyebrow">{escape(title)}</p><h1>How the network sees</h1>'
    head += f'<p class="verdict">{escape(_answer(view))}</p></header>\n'
    parts = [head, _filters(network)]
    levels = maps_of(view)
    for place, level in enumerate(levels):
        tell(Event("progress", "levels", {"done": place, "total": len(levels)}))
        parts.append(_level(view, place, level))
    parts.append(_dreams(view, tell))
    return document(f"How the network sees · {title}", "".join(parts)).encode()


def maps_of(view: View) -> list[Tensor]:
    """The maps of the first row of a view, finest level first."""
    import torch

    with torch.no_grad(), recording(view.subject.network, len(view), view.size) as record:
        view.subject.network(**{name: given.detach() for name, given in view.tensors().items()})
    return record.levels()


def first_filters(network: Any) -> np.ndarray | None:
    """The kernels of the first convolution that is larger than a pixel, (count, down, across, channels)."""
    import torch

    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d) and min(module.kernel_size) > 1:
            found: np.ndarray = module.weight.detach().movedim(1, -1).numpy()
            return found
    return None


def strongest(level: Tensor, count: int = EACH) -> list[int]:
    """The features of a level that answer most where they answer most, against their own mean."""
    row = level[0]
    stand_out = row.amax((1, 2)) - row.mean((1, 2))
    found: list[int] = stand_out.argsort(descending=True)[:count].tolist()
    return found


def _answer(view: View) -> str:
    question = view.questions[0]
    return f"Its answer to this picture: {question.words}, score {question.score:.3g}."


def _filters(network: Any) -> str:
    kernels = first_filters(network)
    if kernels is None:
        return ""
    colour = kernels.shape[-1] == 3
    lead = (
        f"The {min(FILTERS, len(kernels))} first of {len(kernels)} kernels of the first layer. They look for edges, "
        f"spots and {'colours' if colour else 'bands'}: each is compared with every place of the picture."
    )
    tiles = []
    for kernel in kernels[:FILTERS]:
        shown = kernel if colour else kernel.mean(-1, keepdims=True)
        top = max(1e-12, float(np.abs(shown).max()))
        tile = np.rint((shown / top + 1) * 127.5).astype(np.uint8)
        tiles.append(np.repeat(tile.repeat(8, 0).repeat(8, 1), 1 if colour else 3, 2))
    packed = pack(tiles)
    body = "".join(f'<img class="tiny" src="{data}" width="56" alt="a kernel" style="margin:3px">' for data in packed)
    return section("The first filters", f"<div>{body}</div>", lead)


def _level(view: View, place: int, level: Tensor) -> str:
    channels, down, across = level.shape[1:]
    chosen = strongest(level)
    pixels = view.samples[0].pixels()
    figures: list[Figure] = []
    if place == 0:
        figures.append((enlarged(pixels), "the picture", f"{pixels.shape[1]} x {pixels.shape[0]}"))
    dreams = excite(view, lambda record, outputs: _picked(record.levels()[place], chosen), len(chosen))
    figures += [(_shown(view, level[0, feature]), f"feature {feature}", "where it answers") for feature in chosen]
    figures += [
        (enlarged(dream), f"feature {feature}", "what excites it most")
        for feature, dream in zip(chosen, dreams, strict=True)
    ]
    lead = (
        f"{channels} maps of {down} x {across}. Above, where the {len(chosen)} features that stand out most answer to "
        "this picture; below, pictures made from noise that excite them."
    )
    return section(f"Level {place + 1}", _figures(figures), lead)


def _dreams(view: View, tell: Tell) -> str:
    """For each name the picture that the network finds most like it."""
    names = view.subject.facts.names[:NAMES]
    if not names or "logits" not in view.subject.network(**view.tensors()):
        return ""
    tell(Event("note", "dreaming of names"))

    def asked(record: Any, outputs: Any) -> Tensor:
        logits = outputs["logits"]
        rows = logits if logits.ndim == 2 else logits.amax(1)
        return rows[range(len(names)), range(len(names))]  # type: ignore[no-any-return]

    figures = [
        (enlarged(dream), name, "what excites it most")
        for name, dream in zip(names, excite(view, asked, len(names)), strict=True)
    ]
    lead = "Pictures made from noise that the network is surest of. They show what it listens to, not what it has seen."
    return section("The names", _figures(figures), lead)


def _picked(level: Tensor, features: Sequence[int]) -> Tensor:
    """Of each row its own feature, at its most excited places."""
    import torch

    rows = level[torch.arange(len(features)), torch.tensor(list(features))].flatten(1)
    return rows.topk(max(1, rows.shape[1] // 4), 1).values.mean(1)


def _shown(view: View, values: Tensor) -> np.ndarray:
    """A map over the picture, zero to its own highest."""
    from sightline.core.annotations import Heatmap
    from sightline.explaining.cams import grown

    low = values - values.amin()
    placed = back(grown(low[None], view.size), view.frames[:1])[0]
    return overlay(view.samples[0].pixels(), Heatmap(placed / max(1e-12, float(placed.max()))))


def _figures(figures: Sequence[Figure]) -> str:
    packed = pack([picture for picture, _, _ in figures])
    body = ""
    for data, (_, title, detail) in zip(packed, figures, strict=True):
        body += f'<figure><img class="tiny" src="{data}" alt="{escape(f"{title}: {detail}")}">'
        body += f"<figcaption><b>{escape(title)}</b><span>{escape(detail)}</span></figcaption></figure>\n"
    return f'<div class="gallery" style="--width:130px">{body}</div>'
