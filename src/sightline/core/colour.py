"""From the colours of a file to the colours of the house: sRGB or gray, opaque, upright, every bit kept."""

from __future__ import annotations

import io
import warnings
from functools import lru_cache
from typing import Any

import numpy as np

from sightline.core.errors import MissingExtraError
from sightline.core.extras import need
from sightline.core.header import Header

_SPACES = {"gray": b"GRAY", "rgb": b"RGB ", "cmyk": b"CMYK"}
_SRGB = (b"sRGB", b"s\0R\0G\0B")  # in the description of every profile of that name


def settle(pixels: np.ndarray, header: Header, *, alpha: bool = False) -> np.ndarray:
    """Pixels as the house keeps them: colours as sRGB, transparency over white (kept with `alpha`), upright."""
    if header.alpha and alpha:
        colours, clear = as_srgb(pixels[..., :-1], header), pixels[..., -1:]
        straight = colours if header.alpha == "straight" else unmixed(colours, clear)
        pixels = np.concatenate([straight, clear], -1)
    elif header.alpha:
        colours = as_srgb(pixels[..., :-1], header)
        pixels = over_white(colours, pixels[..., -1:], straight=header.alpha == "straight")
    else:
        pixels = as_srgb(pixels, header)
    return upright(pixels, header.orientation)


def notes(header: Header) -> list[str]:
    """What `settle` does to a page, in words."""
    said = list(header.notes)
    if header.orientation != 1:
        said.append(f"turned upright (EXIF orientation {header.orientation})")
    if header.palette:
        said.append("palette replaced by its colours")
    if header.profile:
        said.append(_way(header)[1])
    elif header.colour == "cmyk":
        said.append("print colours (CMYK) without a profile turned into RGB by the plain formula")
    if header.alpha:
        said.append("transparency laid over white" + (" (colours were premultiplied)" * (header.alpha != "straight")))
    if header.bits not in (1, 2, 4, 8, 16, 32):
        said.append(f"{header.bits} bits a channel kept as they are in {header.dtype}")
    return said


def over_white(pixels: np.ndarray, clear: np.ndarray, *, straight: bool) -> np.ndarray:
    """Colours over a white ground, in the depth that they have."""
    if pixels.dtype.kind == "f":
        cover = np.clip(clear, 0, 1)
        covered: np.ndarray = (pixels * cover if straight else pixels) + (1 - cover)
        return covered
    top = int(np.iinfo(pixels.dtype).max)
    answer = np.empty_like(pixels)
    for start in range(0, len(pixels), 256):  # in bands: whole numbers of 32 bits take four times the room
        band, cover = pixels[start : start + 256].astype(np.uint32), clear[start : start + 256].astype(np.uint32)
        if straight:
            band *= cover
            band += top // 2
            band //= top
        band += top - cover
        answer[start : start + 256] = np.minimum(band, top)
    return answer


def unmixed(pixels: np.ndarray, clear: np.ndarray) -> np.ndarray:
    """Colours that were multiplied by their cover, as they were before; black where nothing covers."""
    top = 1.0 if pixels.dtype.kind == "f" else float(np.iinfo(pixels.dtype).max)
    made = np.zeros(pixels.shape, np.float32)
    np.divide(pixels.astype(np.float32) * np.float32(top), clear, out=made, where=clear > 0)
    if pixels.dtype.kind == "f":
        return made
    return np.rint(np.minimum(made, top)).astype(pixels.dtype)


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """The picture as it was meant to be seen (EXIF 2.32, tag 274)."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def as_srgb(pixels: np.ndarray, header: Header) -> np.ndarray:
    """Colours by the profile of the file where it has a sound one, else by the plain formula, else as they are."""
    if header.profile:
        convert, _ = _way(header)
        if convert is not None:
            return convert(pixels)  # type: ignore[no-any-return]
    if header.colour == "cmyk":
        return _from_print(pixels)
    return pixels


def _from_print(pixels: np.ndarray) -> np.ndarray:
    """Amounts of ink to light, the way every viewer does without a profile; the depth stays."""
    if pixels.dtype.kind == "f":
        floats: np.ndarray = (1 - pixels[..., :3]) * (1 - pixels[..., 3:4])
        return floats
    top = int(np.iinfo(pixels.dtype).max)
    answer = np.empty((*pixels.shape[:2], 3), pixels.dtype)
    for start in range(0, len(pixels), 256):
        light = top - pixels[start : start + 256].astype(np.uint32)
        answer[start : start + 256] = (light[..., :3] * light[..., 3:4] + top // 2) // top
    return answer


def _way(header: Header) -> tuple[Any, str]:
    """How the profile is applied (None: it is not), and the words for it."""
    return _prepared(header.profile, header.colour, header.dtype.str.lstrip("<>|="))


@lru_cache(16)
def _prepared(profile: bytes, colour: str, depth: str) -> tuple[Any, str]:
    if colour not in _SPACES:
        return None, "colour profile not applied: it is for other colours"
    sound = len(profile) >= 132 and profile[36:40] == b"acsp" and int.from_bytes(profile[:4], "big") <= len(profile)
    if not sound:
        return None, "colour profile not applied: it is broken"
    if profile[16:20] != _SPACES[colour]:
        return None, f"colour profile not applied: it is for {profile[16:20]!r}, and the picture is {colour}"
    if colour == "rgb" and any(word in profile for word in _SRGB):
        return None, "colour profile says sRGB, which is what the house keeps"
    if depth != "u1":
        return _deep(profile, colour, depth)
    return _shallow(profile, colour)


def _shallow(profile: bytes, colour: str) -> tuple[Any, str]:
    from PIL import Image as Pillow
    from PIL import ImageCms

    mode = {"gray": "L", "rgb": "RGB", "cmyk": "CMYK"}[colour]
    try:
        read = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        said = " ".join((ImageCms.getProfileDescription(read) or "").split())[:60]
        change = ImageCms.buildTransform(read, ImageCms.createProfile("sRGB"), mode, "RGB", ImageCms.Intent.PERCEPTUAL)
    except Exception as error:  # noqa: BLE001 - a broken profile costs its colours, not the picture
        return None, f"colour profile not applied: it is broken ({type(error).__name__})"

    def convert(pixels: np.ndarray) -> np.ndarray:
        ground = np.ascontiguousarray(pixels)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            picture = Pillow.fromarray(ground[..., 0] if mode == "L" else ground, mode)
        answer = np.asarray(change.apply(picture))
        return answer[..., 1:2] if mode == "L" else answer

    return convert, f"colour profile '{said}' converted to sRGB"


def _deep(profile: bytes, colour: str, depth: str) -> tuple[Any, str]:
    if depth != "u2":
        return None, "colour profile not applied: pixels that are not whole numbers are kept as they are"
    try:
        imagecodecs = need("imagecodecs")
        target = imagecodecs.cms_profile("srgb")
        imagecodecs.cms_profile_validate(profile)
    except MissingExtraError as error:
        return None, f"colour profile not applied: {error.message}"
    except Exception as error:  # noqa: BLE001 - the same
        return None, f"colour profile not applied: it is broken ({type(error).__name__})"

    def convert(pixels: np.ndarray) -> np.ndarray:
        ground = np.ascontiguousarray(pixels[..., 0] if colour == "gray" else pixels)
        answer = imagecodecs.cms_transform(ground, profile, target, colorspace=colour, outcolorspace="rgb")
        return np.asarray(answer)[..., 1:2] if colour == "gray" else np.asarray(answer)

    return convert, "colour profile converted to sRGB at 16 bits"
