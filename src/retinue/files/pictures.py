"""Pictures: their size, a small preview, and what a model is given. Decodes nobody's bytes at their word.

Only four formats are ever opened, by name; a picture's size is read from its header before anything is unpacked, and
one that would unfold into too many pixels is not.
"""

import asyncio
import io
from dataclasses import dataclass
from typing import IO

from PIL import Image, ImageOps

from retinue import errors

FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP"}
PREVIEW_PIXELS = 640
MODEL_PIXELS = 1568
"""Providers scale down what is larger on a side."""
MOST_PIXELS = 100_000_000
"""A picture with more is refused: it would be a burden to everybody who looks at it."""
DECODED_PIXELS = 40_000_000
"""A picture with more after JPEG's own scaling has no preview."""
ORIENTATION = 0x0112
Image.MAX_IMAGE_PIXELS = None  # our own limits are lower, and judge before anything is unpacked


@dataclass(frozen=True, slots=True)
class Picture:
    """What its header says, turned as it is to be shown."""

    width: int
    height: int


async def measure(media_type: str, file: IO[bytes]) -> Picture | None:
    """Its size; None when this is no picture after all. Raises ``FileTypeRefused`` for one with too many pixels."""
    return await asyncio.to_thread(_measure, FORMATS[media_type], file)


def _measure(kind: str, file: IO[bytes]) -> Picture | None:
    try:
        with _opened(kind, file) as image:
            width, height = image.size
            # only of JPEG: asking a PNG would unpack it
            turned = kind == "JPEG" and image.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8)
    except Exception:  # whatever a decoder says to damaged bytes
        return None
    if width * height > MOST_PIXELS:
        raise errors.FileTypeRefused(f"A picture may have at most {MOST_PIXELS // 1_000_000} million pixels.")
    if width < 1 or height < 1:
        return None
    return Picture(height, width) if turned else Picture(width, height)


async def preview(media_type: str, file: IO[bytes]) -> bytes | None:
    """A small WebP of its first frame without any of its metadata; None when it cannot be decoded."""
    return await asyncio.to_thread(_shrunk, FORMATS[media_type], file, PREVIEW_PIXELS, "WEBP")


async def for_model(media_type: str, data: bytes) -> tuple[str, bytes] | None:
    """A PNG or JPEG no larger than a model looks at, with its type; None when it cannot be decoded."""
    target = "JPEG" if media_type == "image/jpeg" else "PNG"
    made = await asyncio.to_thread(_shrunk, FORMATS[media_type], io.BytesIO(data), MODEL_PIXELS, target)
    return (f"image/{target.lower()}", made) if made else None


def _shrunk(kind: str, file: IO[bytes], side: int, target: str) -> bytes | None:
    try:
        with _opened(kind, file) as image:
            image.draft("RGB", (side, side))
            if image.width * image.height > DECODED_PIXELS:
                return None
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((side, side))
            mode = "RGB" if target == "JPEG" else "RGBA"
            out = io.BytesIO()
            upright.convert(mode).save(out, target, quality=80)
            return out.getvalue()
    except Exception:  # whatever a decoder says to damaged bytes
        return None


def _opened(kind: str, file: IO[bytes]) -> Image.Image:
    file.seek(0)
    return Image.open(file, formats=(kind,))
