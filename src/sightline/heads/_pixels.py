"""Raw pixels, channels last, to what a network likes: scaled inside so that it travels with the export."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sightline.core.inputs import InputSpec

TOP = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}


class Pixels(nn.Module):
    """(n, rows, columns, channels) of the spec's depth to (n, channels, rows, columns) around zero."""

    mean: Tensor
    std: Tensor

    def __init__(self, spec: InputSpec) -> None:
        super().__init__()
        self.top = TOP[spec.dtype]
        self.layout = torch.contiguous_format  # the training loop sets what it measured to be faster
        self.register_buffer("mean", torch.tensor(spec.mean).float(), persistent=False)
        self.register_buffer("std", torch.tensor(spec.std).float(), persistent=False)

    def forward(self, raw: Tensor) -> Tensor:
        x = (raw.to(torch.float32) / self.top - self.mean) / self.std
        return x.movedim(-1, 1).contiguous(memory_format=self.layout)
