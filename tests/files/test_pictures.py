"""Pictures are opened with care: damaged ones are no pictures, large ones are not unpacked."""

import io
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from retinue import errors
from retinue.files import pictures


def drawn(kind: str, width: int = 64, height: int = 48) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(out, kind)
    return out.getvalue()


WHOLE = {media: drawn(kind) for media, kind in pictures.FORMATS.items()}


@pytest.mark.parametrize("media_type", WHOLE)
async def test_every_kind_is_measured_previewed_and_shown_to_a_model(media_type: str) -> None:
    data = WHOLE[media_type]
    assert await pictures.measure(media_type, io.BytesIO(data)) == pictures.Picture(64, 48)
    assert await pictures.preview(media_type, io.BytesIO(data))
    shown = await pictures.for_model(media_type, data)
    assert shown and shown[0] in ("image/png", "image/jpeg")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(WHOLE)),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=20),
    st.integers(0, 10**6),
)
async def test_damaged_bytes_are_no_picture_and_no_error(
    media_type: str, changes: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(WHOLE[media_type])
    for at, value in changes:
        data[at % len(data)] = value
    broken = bytes(data[: 1 + cut % len(data)])
    try:
        await pictures.measure(media_type, io.BytesIO(broken))
    except errors.FileTypeRefused:
        return
    await pictures.preview(media_type, io.BytesIO(broken))
    await pictures.for_model(media_type, broken)


async def test_one_kind_is_not_opened_as_another() -> None:
    assert await pictures.measure("image/png", io.BytesIO(WHOLE["image/gif"])) is None
    assert await pictures.preview("image/png", io.BytesIO(drawn("TIFF"))) is None


async def test_a_picture_of_too_many_pixels_is_refused_without_being_unpacked() -> None:
    out = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")
    tracemalloc.start()
    try:
        with pytest.raises(errors.FileTypeRefused):
            await pictures.measure("image/png", out)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


async def test_a_picture_that_is_large_once_unpacked_has_no_preview() -> None:
    out = io.BytesIO()
    Image.new("1", (9_000, 9_000)).save(out, "PNG")
    assert await pictures.measure("image/png", out) == pictures.Picture(9_000, 9_000)
    assert await pictures.preview("image/png", out) is None
