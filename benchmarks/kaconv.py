"""KAConv as one grouped convolution against its unfolded form: time and memory side by side, forwards and backwards.

Both answer alike (the tests hold them to 1e-10). Interleaved in one process; medians, and ratios within the run.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from sightline.models.kaconvnet import KAConv

QUICK = True
# channels and side of a map: the four stages of size s at 224 x 224
STAGES = ((32, 56), (64, 28), (128, 14), (256, 7))


def unfolded(layer: KAConv, x: Tensor) -> Tensor:
    """The sums as they are usually computed: a depthwise convolution, and every window unfolded and bent by its tap."""
    channels, taps = x.shape[1], layer.kernel**2
    smooth = functional.conv2d(
        functional.silu(x), layer.smooth.weight, layer.smooth.bias, padding=layer.kernel // 2, groups=channels
    )
    windows = functional.unfold(x, layer.kernel, padding=layer.kernel // 2).unflatten(1, (channels, taps))
    windows = windows.transpose(2, 3)
    bent = torch.where(windows < 0, layer.below[:, None] * windows, layer.above[:, None] * windows)
    bent = bent + layer.offset[:, None]
    sums = functional.conv2d(bent, layer.bent.weight.view(-1, 1, 1, taps), layer.bent.bias, groups=channels)
    return smooth + sums.view_as(smooth)


def forward_and_back(sums: Callable[[Tensor], Tensor], layer: nn.Module, x: Tensor) -> None:
    layer.zero_grad()
    sums(x).square().mean().backward()


def saved(sums: Callable[[Tensor], Tensor], x: Tensor) -> int:
    """Bytes that are kept for the way back."""
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        made = sums(x)
    kept.pop(made.untyped_storage().data_ptr(), None)
    return sum(kept.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=4)
    given = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, one thread, torch {torch.__version__}, {commit.stdout.strip()}"
    )
    print(f"{'channels, side':>15} {'pass':>8} {'unfolded':>10} {'grouped':>10} {'ratio':>6} {'kept for way back':>25}")
    for channels, side in STAGES:
        layer = KAConv(channels, channels).eval()
        x = torch.randn(given.rows, channels, side, side, requires_grad=True)
        forms = {"unfolded": lambda y, layer=layer: unfolded(layer, y), "grouped": layer.sums}
        with torch.no_grad():
            gap = float((forms["unfolded"](x) - forms["grouped"](x)).abs().max())
        assert gap < 1e-4, gap
        memory = {name: saved(form, x) / 2**20 for name, form in forms.items()}
        for turn in ("forward", "both"):
            taken: dict[str, list[float]] = {name: [] for name in forms}
            for number in range(given.rounds + 1):
                for name, form in forms.items():
                    start = time.process_time()
                    if turn == "forward":
                        with torch.inference_mode():
                            form(x)
                    else:
                        forward_and_back(form, layer, x)
                    if number:
                        taken[name].append(time.process_time() - start)
            slow, fast = (1000 * statistics.median(taken[name]) for name in ("unfolded", "grouped"))
            kept = "" if turn == "forward" else f"{memory['unfolded']:8.1f} -> {memory['grouped']:6.1f} MiB"
            print(f"{channels:>10}, {side:>3} {turn:>8} {slow:>7.1f} ms {fast:>7.1f} ms {slow / fast:>6.2f} {kept:>26}")


if __name__ == "__main__":
    main()
