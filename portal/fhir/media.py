"""What kind of file some bytes are, by how they begin: never by a name, nor by what somebody says of them. Pure."""

BYTES = "application/octet-stream"
BEGINNINGS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (8, b"WEBP", "image/webp"),
    *((4, b"ftyp" + brand, "image/heic") for brand in (b"heic", b"heix", b"heim", b"mif1", b"msf1", b"avif")),
)
"""Where, which bytes, what kind of file. One that claims one of these kinds and does not begin so is only bytes."""
KNOWN = frozenset(kind for _, _, kind in BEGINNINGS)


def kind_of(content: bytes) -> str:
    """The media type that the first bytes tell, or that of mere bytes."""
    found = (kind for place, start, kind in BEGINNINGS if content[place : place + len(start)] == start)
    return next(found, BYTES)
