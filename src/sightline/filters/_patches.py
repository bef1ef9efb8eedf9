"""Holes made of patches of the same picture: coarse to fine, the best match for each pixel, then the mean of votes."""

from __future__ import annotations

import numpy as np

from sightline.core.chance import generator

_SMALLEST = 24  # pixels of the shorter side of the coarsest picture


def patched(values: np.ndarray, holes: np.ndarray, patch: int, rounds: int, seed: int) -> np.ndarray:
    """Float32 rows, columns, channels with its holes filled."""
    import cv2

    pictures, masks = [values], [holes]
    while min(masks[-1].shape) >= 2 * _SMALLEST and masks[-1].sum() > patch * patch:
        small, open_ = _halved(pictures[-1], masks[-1])
        if open_.all():
            break
        pictures.append(small)
        masks.append(open_)
    made, best = _spread(pictures[-1], masks[-1]), None
    for level in reversed(range(len(pictures))):
        given, mask = pictures[level], masks[level]
        if made.shape != given.shape:
            size = (given.shape[1], given.shape[0])
            wide = np.asarray(cv2.resize(made, size, interpolation=cv2.INTER_LINEAR)).reshape(given.shape)
            made = np.where(mask[..., None], wide, given)
        search = _Search(mask, patch, generator("patch_fill", seed, level))
        if not len(search.rows) or not search.sound.any():
            continue
        best = search.start(best)
        for _ in range(rounds if level else max(1, rounds // 2)):
            best = search.improve(made, best)
            made = search.vote(made, given, best)
    return made


def _halved(values: np.ndarray, holes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Half the size; a pixel of which a part is missing is made of the rest."""
    rows, columns = holes.shape
    wide = np.pad(values, ((0, rows % 2), (0, columns % 2), (0, 0)), mode="edge")
    known = np.pad(~holes, ((0, rows % 2), (0, columns % 2)), mode="edge").astype(np.float32)[..., None]
    total = (wide * known).reshape(wide.shape[0] // 2, 2, wide.shape[1] // 2, 2, -1).sum((1, 3))
    count = known.reshape(wide.shape[0] // 2, 2, wide.shape[1] // 2, 2, 1).sum((1, 3))
    return (total / np.maximum(count, 1)).astype(np.float32), count[..., 0] < 2


def _spread(values: np.ndarray, holes: np.ndarray) -> np.ndarray:
    """A first guess: every missing pixel like the nearest one that is known, blurred."""
    from scipy import ndimage

    nearest = ndimage.distance_transform_edt(holes, return_distances=False, return_indices=True)
    return np.asarray(values[tuple(nearest)])


class _Search:
    """The patches that touch a hole, and for each of them the place of a patch that is wholly known."""

    def __init__(self, holes: np.ndarray, patch: int, chance: np.random.Generator) -> None:
        import cv2

        self.half, self.holes, self.chance = patch // 2, holes, chance
        square = np.ones((patch, patch), np.uint8)
        near = cv2.dilate(holes.astype(np.uint8), square)
        self.sound = cv2.dilate(holes.astype(np.uint8), square, borderValue=0) == 0
        inside = np.zeros_like(self.sound)
        edge = self.half
        inside[edge : holes.shape[0] - edge, edge : holes.shape[1] - edge] = True
        self.sound &= inside
        self.rows, self.columns = np.nonzero((near > 0) & inside)
        self.place = np.full(holes.shape, -1, np.int64)
        self.place[self.rows, self.columns] = np.arange(len(self.rows))
        reach = np.arange(-edge, edge + 1)
        self.down, self.right = (part.ravel() for part in np.meshgrid(reach, reach, indexing="ij"))
        self.choices = np.stack(np.nonzero(self.sound), 1)

    def start(self, coarse: tuple[np.ndarray, np.ndarray] | None) -> tuple[np.ndarray, np.ndarray]:
        """Twice what was found on the picture of half the size, or chance."""
        if coarse is None:
            picked = self.choices[self.chance.integers(0, len(self.choices), len(self.rows))]
            return self._whole(picked[:, 0], picked[:, 1])
        rows = np.minimum(self.rows // 2, coarse[0].shape[0] - 1)
        columns = np.minimum(self.columns // 2, coarse[0].shape[1] - 1)
        shift_down, shift_right = coarse[0][rows, columns], coarse[1][rows, columns]
        down, right = self._allowed(self.rows + 2 * shift_down, self.columns + 2 * shift_right)
        return self._whole(down, right)

    def _whole(self, down: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shifts as maps of the whole picture."""
        maps = np.zeros((2, *self.holes.shape), np.int64)
        maps[0, self.rows, self.columns] = down - self.rows
        maps[1, self.rows, self.columns] = right - self.columns
        return maps[0], maps[1]

    def _allowed(self, down: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places moved into the picture; those that are not wholly known are drawn anew."""
        down, right = down.clip(0, self.holes.shape[0] - 1), right.clip(0, self.holes.shape[1] - 1)
        wrong = np.flatnonzero(~self.sound[down, right])
        if len(wrong):
            picked = self.choices[self.chance.integers(0, len(self.choices), len(wrong))]
            down, right = down.copy(), right.copy()
            down[wrong], right[wrong] = picked[:, 0], picked[:, 1]
        return down, right

    def _far(self, wide: np.ndarray, mine: np.ndarray, down: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Sum of squares between each patch and the one at that place."""
        flat = wide.reshape(-1, wide.shape[2])
        columns = self.holes.shape[1]
        theirs = flat[(down * columns + right)[:, None] + (self.down * columns + self.right)]
        theirs -= mine
        return np.asarray(np.einsum("ijk,ijk->i", theirs, theirs))

    def improve(self, made: np.ndarray, best: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Matches of neighbours tried, near and further ones, then places by chance, ever closer."""
        columns = self.holes.shape[1]
        flat = made.reshape(-1, made.shape[2])
        mine = flat[(self.rows * columns + self.columns)[:, None] + (self.down * columns + self.right)]
        down, right = self.rows + best[0][self.rows, self.columns], self.columns + best[1][self.rows, self.columns]
        cost = self._far(made, mine, down, right)

        def keep(new_down: np.ndarray, new_right: np.ndarray) -> None:
            at = np.flatnonzero(self.sound[new_down, new_right] & ((new_down != down) | (new_right != right)))
            if not len(at):
                return
            tried = self._far(made, mine[at], new_down[at], new_right[at])
            better = tried < cost[at]
            won = at[better]
            down[won], right[won], cost[won] = new_down[won], new_right[won], tried[better]

        for jump in (8, 4, 2, 1, 1):
            for step_down, step_right in ((jump, 0), (0, jump), (-jump, 0), (0, -jump)):
                from_row = (self.rows + step_down).clip(0, self.holes.shape[0] - 1)
                from_column = (self.columns + step_right).clip(0, columns - 1)
                index = self.place[from_row, from_column]
                known = index >= 0
                index = np.where(known, index, np.arange(len(index)))
                new_down = down[index] + self.rows - self.rows[index]
                new_right = right[index] + self.columns - self.columns[index]
                keep(new_down.clip(0, self.holes.shape[0] - 1), new_right.clip(0, columns - 1))
        reach = float(max(self.holes.shape))
        while reach >= 1:
            off = np.rint(self.chance.uniform(-reach, reach, (2, len(down)))).astype(np.int64)
            keep((down + off[0]).clip(0, self.holes.shape[0] - 1), (right + off[1]).clip(0, columns - 1))
            reach /= 2
        return self._whole(down, right)

    def vote(self, made: np.ndarray, given: np.ndarray, best: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Every missing pixel as the mean of what the patches over it say, those that fit best the loudest."""
        columns = self.holes.shape[1]
        flat = made.reshape(-1, made.shape[2])
        window = self.down * columns + self.right
        here = (self.rows * columns + self.columns)[:, None] + window
        source = ((self.rows + best[0][self.rows, self.columns]) * columns + self.columns)[:, None]
        theirs = flat[source + best[1][self.rows, self.columns][:, None] + window]
        cost = np.mean((theirs - flat[here]) ** 2, (1, 2))
        weight = np.exp(-cost / max(float(np.quantile(cost, 0.75)), 1e-8))[:, None] + 1e-6
        total = np.empty_like(flat, dtype=np.float64)
        for channel in range(flat.shape[1]):
            said = np.bincount(here.ravel(), (weight * theirs[..., channel]).ravel(), len(flat))
            total[:, channel] = said
        count = np.bincount(here.ravel(), np.broadcast_to(weight, here.shape).ravel(), len(flat))
        told = (self.holes.ravel()) & (count > 0)
        answer = made.reshape(-1, made.shape[2]).copy()
        answer[told] = (total[told] / count[told, None]).astype(np.float32)
        whole = answer.reshape(made.shape)
        return np.where(self.holes[..., None], whole, given)
