"""A picture that a patient gives, drawn anew: only what is seen is kept, not what a camera writes beside it (place, device, owner)."""

from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/gif": "GIF",
    "image/tiff": "TIFF",
    "image/webp": "WEBP",
}
MOST_PIXELS = {"image/jpeg": 40_000_000}
MOST_ELSE = 16_000_000
"""A page at 400 dots an inch. A few bytes of these formats can hold any number of pixels, and each has to be unpacked."""
LONGEST_SIDE = 2_600
"""Enough to read the small print of a photographed page; a larger picture is made smaller."""
MOST_SHEETS = 20
"""Pages of a scan in one TIFF file."""
_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    MemoryError,
    OverflowError,
    IndexError,
    KeyError,
    TypeError,
    UnidentifiedImageError,
    Image.DecompressionBombError,
)
"""What Pillow's readers raise on a file that is no picture: it is written to be read by them, so anything may come."""


def redrawn(content: bytes, kind: str) -> bytes | None:
    """The picture in the same format with nothing but its pixels; None when it cannot be read or is too large."""
    try:
        with Image.open(BytesIO(content), formats=(FORMATS[kind],)) as picture:
            sheets = _sheets(picture, kind)
    except _BROKEN:
        return None
    made = BytesIO()
    more = {"save_all": True, "append_images": sheets[1:]} if len(sheets) > 1 else {}
    sheets[0].save(made, FORMATS[kind], **more, **_HOW.get(kind, {}))
    return made.getvalue()


def photographed(content: bytes, kind: str, longest: int) -> bytes | None:
    """The first picture in it as a JPEG with no side longer than this; None when it cannot be read or is too large."""
    try:
        with Image.open(BytesIO(content), formats=(FORMATS[kind],)) as picture:
            sheet = _sheets(picture, kind)[0]
    except _BROKEN:
        return None
    paper = Image.new("RGB", sheet.size, "white")
    paper.paste(sheet, mask=sheet.getchannel("A") if sheet.mode == "RGBA" else None)
    paper.thumbnail((longest, longest), reducing_gap=2.0)
    made = BytesIO()
    paper.save(made, "JPEG", **_HOW["image/jpeg"])
    return made.getvalue()


_HOW: dict[str, dict[str, object]] = {
    "image/jpeg": {"quality": 88},
    "image/webp": {"quality": 88},
    "image/tiff": {"compression": "tiff_deflate"},
}


def _sheets(picture: Image.Image, kind: str) -> list[Image.Image]:
    """Every page of a scan, and the first picture of anything that moves. ValueError for too much."""
    many = getattr(picture, "n_frames", 1) if kind == "image/tiff" else 1
    if many > MOST_SHEETS:
        raise ValueError
    sheets, pixels = [], 0
    for number in range(many):
        picture.seek(number)
        pixels += picture.width * picture.height
        if pixels > MOST_PIXELS.get(kind, MOST_ELSE):
            raise ValueError
        sheets.append(_sheet(picture))
    return sheets


def _sheet(picture: Image.Image) -> Image.Image:
    """The way up that it was taken, in one of three kinds of colour, on a canvas of its own."""
    picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    upright = _plain(ImageOps.exif_transpose(picture))
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE), reducing_gap=2.0)
    canvas = Image.new(upright.mode, upright.size)
    canvas.paste(upright)
    return canvas


def _plain(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith(("I", "F")):
        low, high = (float(each) for each in picture.getextrema())  # type: ignore[arg-type]
        spread = picture.convert("F").point(lambda value: value * (255 / ((high - low) or 1)) - low)
        return spread.convert("L")
    if picture.mode in {"1", "L"}:
        return picture.convert("L")
    seen_through = picture.has_transparency_data and picture.format != "JPEG"
    return picture.convert("RGBA" if seen_through else "RGB")
