"""A small model here and a large one elsewhere: what is sure is answered here, and only the rest is sent.

The answer here stands whenever the service says nothing, and says so. Pictures leave without notes of place, time or
camera.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from sightline.core.annotations import Annotation, Labels, Objects
from sightline.core.decisions import suffices
from sightline.core.encoding import bare, encode, encode_as
from sightline.core.errors import InputError, SettingsError
from sightline.core.image import BytesImage, FileImage, Image, sized
from sightline.core.progress import Event, Tell, silent
from sightline.core.resampling import resize
from sightline.core.sample import Sample
from sightline.predicting.given import CONFIDENCE, HERE, Given, judged
from sightline.predicting.model import Model, as_samples, load
from sightline.predicting.remote import Heard, Remote, Unanswered, token_of

SIDES = (16, 16384)


@dataclass(slots=True)
class Counts:
    """What was asked, what it cost, and what it would have cost to ask all."""

    pictures: int = 0
    unsure: int = 0  # here
    asked: int = 0  # elsewhere
    answered: int = 0  # elsewhere
    sent: int = 0  # bytes of pictures; headers are not counted
    files: int = 0  # bytes of the files of all pictures that have one at hand
    without: int = 0  # pictures without a file
    here_seconds: float = 0.0
    there_seconds: float = 0.0

    @property
    def all_bytes(self) -> int:
        """What sending every picture would have cost: files as they are, others as large as those sent on average."""
        return self.files + (round(self.without * self.sent / self.asked) if self.asked else 0)

    @property
    def saved(self) -> float:
        """The share of bytes that stayed."""
        if self.all_bytes:
            return 1 - self.sent / self.all_bytes
        return 1.0 - self.asked / max(self.pictures, 1)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "pictures": self.pictures, "unsure": self.unsure, "asked": self.asked, "answered": self.answered,
            "bytes": self.sent, "bytes_of_all": self.all_bytes, "saved": self.saved,
            "seconds_here": self.here_seconds / max(self.pictures, 1),
            "seconds_there": self.there_seconds / self.asked if self.asked else None,
        }  # fmt: skip

    def told(self) -> str:
        """One line for people."""
        line = f"{self.pictures - self.answered} of {self.pictures} pictures answered here, {self.answered} elsewhere"
        lost = self.unsure - self.answered
        line += f", {lost} unsure without an answer from there" if lost else ""
        cost = f"{self.sent / 1000:,.1f} kB sent, of all {self.all_bytes / 1000:,.1f} kB ({self.saved:.0%} saved)"
        line += f"; {cost}" if self.sent else "; nothing sent"
        line += f"; {1000 * self.here_seconds / max(self.pictures, 1):.1f} ms here"
        return line + (f", {1000 * self.there_seconds / self.asked:.1f} ms there" if self.asked else "")


class LocalFirst:
    """Answers as a model does; close it, or use it with `with`."""

    def __init__(
        self,
        model: Model,
        remote: Remote,
        *,
        confidence: float = CONFIDENCE,
        side: int | None = None,
        level: float | None = None,
        least: float | None = None,
    ) -> None:
        if not 0 <= confidence <= 1:
            raise SettingsError(f"confidence = {confidence:g}: must be from 0 to 1.")
        if side is not None and not SIDES[0] <= side <= SIDES[1]:
            raise SettingsError(f"send_side = {side}: must be from {SIDES[0]} to {SIDES[1]} pixels.")
        kind = model.task.kind
        if not issubclass(kind, Labels | Objects):
            raise SettingsError(
                f"this model answers with a {kind.__name__}, which does not say how sure it is. "
                "A service can be asked where a model answers with names or things that have scores."
            )
        if side is not None and kind is Objects:
            raise SettingsError("send_side is for answers of names: places would be those of the smaller picture.")
        self.model, self.remote, self.confidence, self.side = model, remote, confidence, side
        self.level, self.least, self.counts = level, least, Counts()

    def predict(self, pictures: Any, *, seed: int = 0) -> list[Given]:
        """One answer a picture (path, bytes, array or Sample)."""
        found = []
        for _, given in self.predict_all(as_samples(pictures), seed=seed):
            if isinstance(given, InputError):
                raise given
            found.append(given)
        return found

    def predict_all(
        self, samples: Iterable[Sample], *, seed: int = 0, batch: int = 16
    ) -> Iterator[tuple[Sample, Given | InputError]]:
        """Each sample with its answer or the error that it earned, lazily and in order."""
        answers = iter(self.model.predict_all(samples, seed=seed, batch=batch))
        while True:
            began = time.perf_counter()
            found = next(answers, None)
            self.counts.here_seconds += time.perf_counter() - began
            if found is None:
                return
            sample, answer = found
            yield sample, answer if isinstance(answer, InputError) else self._given(sample, answer)

    def _given(self, sample: Sample, answer: Annotation) -> Given:
        counts = self.counts
        own = judged(self.model, answer, level=self.level, least=self.least)
        counts.pictures += 1
        size = _size(sample)
        counts.files, counts.without = counts.files + (size or 0), counts.without + (size is None)
        if suffices(answer, own.decision, self.confidence):
            return own
        counts.unsure += 1
        try:
            heard = self.heard(sample, answer)
        except Unanswered as silence:
            return Given(own.answer, own.decision, HERE, str(silence))
        counts.answered += 1
        return Given(heard.answer, heard.decision, heard.by)

    def heard(self, sample: Sample, own: Annotation) -> Heard:
        """What is said elsewhere of a picture, and counted; `Unanswered` where nothing is."""
        if len(sample.images) != 1 or sample.given:
            raise Unanswered("only single pictures without prompts are sent")
        if self.remote.resting:
            raise Unanswered(self.remote.resting)
        try:
            data = outgoing(sample.image, self.side)
        except InputError as error:  # it has changed since it was answered
            raise Unanswered(f"it could not be sent: {error.message}") from error
        before, began = self.remote.sent, time.perf_counter()
        try:
            heard = self.remote.ask(data, self._options())
        finally:
            self.counts.sent += self.remote.sent - before
            self.counts.there_seconds += time.perf_counter() - began
            self.counts.asked += 1
        self._check_alike(heard.answer, own)
        return heard

    def _options(self) -> dict[str, float]:
        return {name: value for name, value in (("level", self.level), ("least", self.least)) if value is not None}

    def _check_alike(self, theirs: Annotation, own: Annotation) -> None:
        """An answer of another kind, or with other names, is of a model that was not meant."""
        if type(theirs) is not type(own):
            what = f"answers with {type(theirs).__name__}, and the model here with {type(own).__name__}"
        else:
            there, here = set(getattr(theirs, "names", ())), set(getattr(own, "names", ()))
            odd = sorted(there - here) or ([] if self.model.task.several else sorted(here - there))
            if not odd:
                return
            what = f"and the model here do not know the same names, such as '{odd[0][:60]}'"
        raise SettingsError(f"{self.remote.address} {what}. Ask a model of the same task.")

    def close(self) -> None:
        """Let go of the connection."""
        self.remote.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def ask(
    service: str,
    first: str | Path | Model,
    *,
    confidence: float = CONFIDENCE,
    token_file: str | Path | None = None,
    side: int | None = None,
    seconds: float = 10.0,
    level: float | None = None,
    least: float | None = None,
    tell: Tell = silent,
) -> LocalFirst:
    """Answer by the bundle `first` what it is sure of, and ask the model of a service for the rest.

    `service` is an address such as `https://host/models/parts`. Its token comes from a file or from SIGHTLINE_TOKEN.
    With `side` no side of a picture that is sent is longer. An answer that takes more `seconds` is not waited for.
    """
    token = token_of(None if token_file is None else Path(token_file))
    remote = Remote(service, token=token, seconds=seconds)
    model = first if isinstance(first, Model) else load(first, tell=tell)
    made = LocalFirst(model, remote, confidence=confidence, side=side, level=level, least=least)
    if remote.in_the_clear:
        tell(Event("warn", f"{remote.host} is asked without encryption: pictures and token can be read on the way"))
    return made


def outgoing(image: Image, side: int | None = None) -> bytes:
    """A file of this picture with nothing in it but the picture: as it is packed, or as JPEG no larger than `side`."""
    stored = getattr(image, "stored", False)
    if side is None:
        return bare(image.encoded(), image.name) if stored else encode(image.read())
    image, size = sized(image) if stored else (image, image.read().shape[:-1])
    if len(size) != 2 or max(size) <= side:
        return outgoing(image)
    shorter = (max(1, round(size[0] * side / max(size))), max(1, round(size[1] * side / max(size))))
    pixels = image.read(shorter)
    small = resize(pixels, shorter, reduced=(size[0] / pixels.shape[0], size[1] / pixels.shape[1]))
    plain = small.dtype == np.uint8 and small.shape[2] in (1, 3)
    return encode_as(small, ".jpg") if plain else encode(small)


def _size(sample: Sample) -> int | None:
    """Bytes of the files of a sample, where they can be told without fetching anything."""
    total = 0
    for image in sample.images:
        if isinstance(image, FileImage):
            try:
                total += image.path.stat().st_size
            except OSError:  # it has gone since it was read
                return None
        elif isinstance(image, BytesImage):
            total += len(image.data)
        else:
            return None
    return total
