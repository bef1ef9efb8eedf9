"""A few inputs and their answers, kept with a model so that every later runtime can be held to them."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence

import numpy as np

from sightline.core import archive, files
from sightline.core.annotations import Annotation, from_columns, to_columns
from sightline.core.archive import refuse
from sightline.core.errors import BundleError, InputError
from sightline.core.image import BytesImage
from sightline.core.sample import Sample

_MOST = 65_000  # arrays in one file
# numpy's own header, parsed without eval: little-endian or single-byte numbers, booleans and text, row by row
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00(..)\{'descr': '([<|][biufU]\d{1,9})', 'fortran_order': False, "
    rb"'shape': \(((?:\d{1,19}, )*(?:\d{1,19},?)?)\), \} *\n",
    re.DOTALL,
)


def pack(samples: Sequence[Sample], answers: Sequence[Annotation], seed: int) -> bytes:
    """Samples (their encoded pictures and what was given, not the truth), one answer each, and the seed of chance."""
    arrays: dict[str, np.ndarray] = {}
    told = []
    for index, (sample, answer) in enumerate(zip(samples, answers, strict=True)):
        for place, image in enumerate(sample.images):
            arrays[f"s{index}.image.{place}"] = np.frombuffer(image.encoded(), np.uint8)
        for column, values in to_columns(answer).items():
            arrays[f"s{index}.answer.{column}"] = values
        told.append({"id": sample.id, "given": dict(sample.given), "images": len(sample.images)})
    try:
        index_ = files.canonical({"seed": int(seed), "samples": told})
    except (TypeError, ValueError) as error:
        raise InputError("label", f"what is given with a golden sample is not plain JSON: {error}.") from error
    return pack_arrays(arrays | {"golden": np.frombuffer(index_, np.uint8)})


def unpack(data: bytes, label: str = "golden.npz") -> tuple[list[Sample], list[Annotation], int]:
    """What `pack` packed; bytes that it cannot have written are a `BundleError`."""
    arrays = unpack_arrays(data, label)
    try:
        told = json.loads(arrays["golden"].tobytes())
        samples, answers = [], []
        for index, one in enumerate(told["samples"]):
            pictures = [arrays[f"s{index}.image.{place}"] for place in range(one["images"])]
            images = tuple(BytesImage(picture.tobytes(), str(one["id"])) for picture in pictures)
            prefix = f"s{index}.answer."
            columns = {key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)}
            samples.append(Sample(str(one["id"]), images, given=dict(one["given"])))
            answers.append(from_columns(columns))
        return samples, answers, int(told["seed"])
    except (ArithmeticError, AttributeError, InputError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise BundleError(f"{label}: not what golden samples look like: {str(error)[:160]}") from error


def pack_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """An .npz that `numpy.load` reads too; equal arrays give equal bytes."""
    written = {}
    for name, array in arrays.items():
        if array.dtype.kind not in "biufU":
            raise TypeError(f"{name} holds {array.dtype}; only numbers, booleans and text are stored")
        stream = io.BytesIO()
        plain = np.asarray(array, array.dtype.newbyteorder("<"), order="C")
        np.lib.format.write_array(stream, plain, version=(1, 0), allow_pickle=False)
        written[f"{name}.npy"] = stream.getvalue()
    return archive.pack(written, "arrays")


def unpack_arrays(data: bytes, label: str) -> dict[str, np.ndarray]:
    """The arrays of `pack_arrays`, read-only; no more memory than the bytes that are there."""
    arrays = {}
    for name, content in archive.unpack(data, label, most=_MOST).items():
        if not name.endswith(".npy"):
            refuse(label, f"{name} is no array.")
        arrays[name.removesuffix(".npy")] = _array(content, f"{label}: {name}")
    return arrays


def _array(content: bytes, label: str) -> np.ndarray:
    header = _HEADER.match(content[:4096])
    if header is None or int.from_bytes(header[1], "little") != header.end() - 10:
        refuse(label, "its header is not one that Sightline writes.")
    kind, shape = header[2].decode(), [int(length) for length in header[3].replace(b",", b" ").split()]
    try:  # numpy refuses a shape that the bytes at hand do not fill, and allocates nothing for it
        return np.frombuffer(content, np.dtype(kind), offset=header.end()).reshape(shape)
    except (TypeError, ValueError, OverflowError) as error:
        raise BundleError(f"{label}: it does not hold what its header says: {error}") from error
