"""Makes the pictures of docs/screens small enough to keep, without changing what a surface or a mark looks like."""

import io
from collections.abc import Iterator
from typing import cast

from PIL import Image, ImageChops

EXACT = 160
"""How many colours of flat parts are kept as they are."""
ODD = (255, 0, 254)
Colour = tuple[int, int, int]


def small(taken: bytes) -> bytes:
    """The picture in 256 colours, a third of the bytes: surfaces and marks exact, the edges of letters nearly so.

    PIL's own way to a given palette rounds to steps of four, which tints what is white.
    """
    image = Image.open(io.BytesIO(taken)).convert("RGB")
    flat = image.copy()
    for beside in ((1, 0), (2, 0), (0, 1), (0, 2)):
        differs = ImageChops.difference(image, ImageChops.offset(image, *beside)).convert("L").point(visible)  # pyright: ignore[reportUnknownMemberType]
        flat.paste(ODD, mask=differs.convert("1", dither=Image.Dither.NONE))
    colours, every = counted(flat), counted(image)
    exact = [colour for colour in colours if colour != ODD][:EXACT]
    places = {colour: place for place, colour in enumerate(exact)}
    rest = [colour for colour in every if colour not in places]
    rare = Image.new("RGB", (max(len(rest), 1), 1))
    rare.putdata(rest)  # pyright: ignore[reportUnknownMemberType]
    others = rare.quantize(256 - len(exact), method=Image.Quantize.MEDIANCUT)
    for colour, place in zip(rest, others.tobytes(), strict=False):
        places[colour] = len(exact) + place
    chosen = Image.frombytes("P", image.size, bytes(places[colour] for colour in pixels(image)))
    chosen.putpalette(([part for colour in exact for part in colour] + (others.getpalette() or []))[:768])
    out = io.BytesIO()
    chosen.save(out, "PNG", optimize=True)
    return out.getvalue()


def pixels(image: Image.Image) -> Iterator[Colour]:
    """Row by row."""
    parts = iter(image.tobytes())
    return zip(parts, parts, parts, strict=True)


def visible(difference: int) -> int:
    """A mask's value: all or nothing."""
    return 255 if difference else 0


def counted(image: Image.Image) -> list[Colour]:
    """The colours of a picture, the most frequent first."""
    found = sorted(image.getcolors(image.width * image.height) or [], reverse=True)
    return [cast("Colour", colour) for _, colour in found]
