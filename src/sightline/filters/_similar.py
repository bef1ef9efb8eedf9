"""Non-local means over floats: what the quick version for 8 bits does, without its steps."""

from __future__ import annotations

import numpy as np


def by_likeness(values: np.ndarray, alike: float, patch: int, window: int) -> np.ndarray:
    """Each pixel the mean of its window, weighed by exp(-(mean squared distance of patches) / alike^2).

    Two pixels weigh each other equally, so half of the shifts serve for all.
    """
    import cv2

    rows, columns, channels = values.shape
    reach, half = window // 2, patch // 2
    edge = reach + half
    wide = np.pad(
        values, ((edge, edge), (edge, edge), (0, 0)), mode="reflect" if min(rows, columns) > edge else "symmetric"
    )
    total, weights = values.copy(), np.ones((rows, columns), np.float32)
    scale = np.float32(-1 / (channels * alike * alike))
    shifts = [
        (down, right) for down in range(reach + 1) for right in range(-reach, reach + 1) if (down, right) > (0, 0)
    ]
    for down, right in shifts:
        # every place from which a shift starts or ends inside the picture
        left, stop = edge - max(right, 0), edge + columns + max(-right, 0)
        here = wide[edge - down - half : edge + rows + half, left - half : stop + half]
        there = wide[edge - half : edge + rows + down + half, left + right - half : stop + right + half]
        gap = here - there
        square = np.einsum("ijk,ijk->ij", gap, gap) if channels > 1 else gap[..., 0] * gap[..., 0]
        mean = cv2.blur(square, (patch, patch))[half : half + rows + down, half : half + stop - left]
        weight = cv2.exp(mean * scale)
        ahead = weight[down:, edge - left : edge - left + columns]
        back = weight[:rows, edge - right - left : edge - right - left + columns]
        weights += ahead
        weights += back
        total += ahead[..., None] * wide[edge + down : edge + down + rows, edge + right : edge + right + columns]
        total += back[..., None] * wide[edge - down : edge - down + rows, edge - right : edge - right + columns]
    total /= weights[..., None]
    return total
