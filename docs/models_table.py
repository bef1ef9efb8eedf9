"""Write docs/models.md: every model with what it is for, its size, its cost, and how long one picture took here.

Names, sizes and costs are read and counted, and a test holds the page to them. Times are measured when this runs.
"""

import os
import platform
import statistics
import time
from pathlib import Path
from typing import Any

import torch

from sightline.core import catalog
from sightline.evaluating.counting import count_multiplications, count_parameters

PAGE = Path(__file__).parent / "models.md"
TOP = """# Models

This page is made by `python docs/models_table.py`; do not edit it by hand.

A model is named as `--model NAME`, and one of its sizes as `--model NAME:SIZE`. What stands on it (scores, boxes, a
vector) comes from the task, so the size below is that of the model alone. A *pyramid* gives maps at several strides and
serves every task that reads one; *logits* are a whole classifier; a *picture* is as large as what was put in, or
`scale` times as large.

With `pip install 'sightline[zoo]'` every architecture of timm is a model too: `timm:resnet18` begins from chance,
`timm:resnet18.a1_in1k` with the weights of that name, whose licence is shown. Nothing is downloaded unless a name asks
for weights; where they cannot be had, one line says so and the network begins from chance.

## Which one

"""
NOTES = """
## How it was counted

Multiplications are those of convolutions and matrix products of one pass, counted on the network itself. *Published*
counts the whole classifier of the paper, with 1000 names at 224 x 224 (the tutorial's and LeNet-5 are whole classifiers
as they are, at 32 x 32 with ten names). What papers print:

| model | printed | here |
|---|---|---|
| tutorial | 122,570 parameters | the same |
| LeNet-5 | 61,706 parameters | the same |
| KAConvNet S, B, L | 5.0M 0.7G, 8.6M 1.4G, 17.5M 2.9G | 5.00M 0.75G, 8.66M 1.39G, 17.45M 2.91G; unfolded, as its \
authors compute it, 0.70G, 1.31G and 2.78G |
| ViT3 T, S, B | 6M 1.2G, 24M 4.8G, 90M 18.0G | 6.16M 1.21G, 23.83M 4.80G, 90.11M 17.92G |
| DeiT T, S, B | 5.72M, 22.05M, 86.57M with a class token | the same less that token and its place |
| Vim T, S, B | 7M, 26M, 98M | 7.15M, 25.80M, 97.60M |
| Vision-TTT T | saves 79.4 % of the multiplications of DeiT-T at 1280 x 1280 | 79.5 %; ViT3-T saves 82.3 % |

Learnt curves, on CIFAR-10 (2,000 pictures to learn from, five epochs, each network at the best of three rates, one
seed, 2,000 test pictures, so that an interval reaches two points either way; processor seconds of such a run on one
thread, beside other work):

| network | right | seconds |
|---|---|---|
| `kan:plain` | .472 | 8 |
| `kan:rational` | .473 | 18 |
| `kan:gram` | .431 | 39 |
| `kan:spline` | .476 | 226 |
| `kan:rbf` | .476 | 97 |

`gram` is behind; of the others nothing tells them from a plain network but what they cost
(`benchmarks/families.py curves`).

Attention beside convolutions, at equal cost: are the two characters in a picture one drawing twice, wherever they lie?
(Omniglot, 12,000 pictures of 64 x 64 to learn from, eight epochs, each at the better of the rates .001 and .002; 10,000
pictures of characters that nobody learnt from. November 2026, `benchmarks/families.py hybrid --twins`.)

| network | multiplications | right, mean of seeds | of single seeds |
|---|---|---|---|
| `hybrid` | 22.9M | .976, six seeds | .967 to .981 |
| `hybrid:near`, convolutions alone | 23.4M | .945, six seeds | .971 to .983; of three .914, spread .103 |
| `hybrid:far`, attention alone | 23.3M | .963, three seeds | .957 to .970 |

The hybrid is ahead of attention alone. From convolutions alone it is told by one thing only: it learnt the task from
every start, and they did not; where they do, both are equally good. Where nothing has to be related it brings
nothing: 242 characters of Omniglot named, from 4,000 drawings of 96 pixels in ten epochs, .749 against .760 of
convolutions alone, with 840 drawings to measure on.

The code of Vision-TTT is not public. What its paper leaves open (the batch of tokens, the gate, how both readings are
joined) is settled so that its printed saving is met; its accuracy is not claimed. No network here comes with weights.
"""


def rows() -> list[tuple[str, str, Any, Any]]:
    """(name, size, its module, what to build) of every model and every one of its sizes."""
    found = []
    for name in catalog.names("models"):
        module = catalog.find("models", name)
        if module.PARAMETERS is None or not module.__name__.startswith("sightline."):
            continue
        sizes = list(getattr(module, "VARIANTS", ())) or [""]
        found += [(name, size, module, catalog.find("models", f"{name}:{size}") if size else module) for size in sizes]
    return found


def side(module: Any, size: str) -> int:
    """Of the pictures that it is for."""
    return 32 if size.endswith("/4") else getattr(module, "SIDE", 224)


def milliseconds(network: torch.nn.Module, x: torch.Tensor, rounds: int = 5) -> float:
    """The median time of processor that one pass took, on one thread."""
    taken = []
    with torch.inference_mode():
        for turn in range(rounds + 1):
            start = time.process_time()
            network(x)
            if turn:
                taken.append(time.process_time() - start)
    return 1000 * statistics.median(taken)


def row(name: str, size: str, module: Any, found: Any) -> str:
    """One line of the table."""
    channels = 1 if name == "lenet" else 3
    network = found.build(channels).eval()
    x = torch.zeros(1, channels, side(module, size), side(module, size))
    cost, taken = count_multiplications(network, x), milliseconds(network, x)
    published = "" if not hasattr(module, "published") else whole(module, size)
    if name in ("tutorial", "lenet"):
        published = f"{found.PARAMETERS:,}"
    label = f"`{name}:{size}`" if size else f"`{name}`"
    cells = (label, module.GIVES, str(x.shape[-1]), f"{found.PARAMETERS:,}", amount(cost), published, f"{taken:,.1f}")
    return f"| {' | '.join(cells)} |"


def whole(module: Any, size: str) -> str:
    """Parameters and multiplications of the classifier as published."""
    if size.endswith("/4"):
        return ""
    with torch.device("meta"):
        network = module.published(size).eval()
        cost = count_multiplications(network, torch.zeros(1, 3, 224, 224))
    return f"{count_parameters(network) / 1e6:.2f}M, {cost / 1e9:.2f}G"


def amount(cost: float) -> str:
    return f"{cost / 1e9:.2f}G" if cost >= 1e9 else f"{cost / 1e6:.1f}M"


def page() -> str:
    """The whole page."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    lines = ["| model | strength | for |", "|---|---|---|"]
    for name in dict.fromkeys(name for name, *_ in rows()):
        module = catalog.find("models", name)
        lines.append(f"| `{name}` | {(module.__doc__ or '').splitlines()[0].rstrip('.')} | {module.USE} |")
    made = TOP + "\n".join(lines) + "\n\n## Size, cost and time\n\n"
    made += (
        f"Time is that of one picture on one thread of {platform.machine()} ({os.cpu_count()} cores, torch "
        f"{torch.__version__.partition('+')[0]}, float32), without any export; compare within the column only.\n\n"
    )
    made += "| model | gives | side | parameters | multiplications | published | ms |\n"
    made += "|---|---|---:|---:|---:|---:|---:|\n"
    return made + "\n".join(row(*each) for each in rows()) + "\n" + NOTES


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
