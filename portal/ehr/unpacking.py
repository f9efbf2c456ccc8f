"""What a server packed (gzip, deflate), unpacked piece by piece; it counts as whole only when the packing says that it ended."""

import zlib
from collections.abc import Iterator

PIECE = 65_536
_GZIP, _ZLIB, _RAW = 31, 15, -15
"""zlib's names for the three wrappings; what HTTP calls deflate is sent with and without zlib's own"""


class NotWhole(ValueError):
    """Packed bytes that are broken, or that stop before their end."""


class Unpacking:
    """One answer's body on its way in. `Content-Encoding` names are taken in the order in which they were applied."""

    def __init__(self, encoding: str) -> None:
        names = [name.strip().lower() for name in encoding.split(",")]
        self._layers = [_layer(name) for name in reversed(names) if name not in ("", "identity")]

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The unpacked pieces, each small however much they unpack to. Raises NotWhole."""
        try:
            yield from self._through(data, self._layers)
        except zlib.error as broken:
            raise NotWhole("broken packing") from broken

    def end(self) -> None:
        """No more comes. Raises NotWhole unless every packing has come to its own end."""
        if not all(layer.ended for layer in self._layers):
            raise NotWhole("packing without its end")

    def _through(self, data: bytes, layers: "list[_Layer]") -> Iterator[bytes]:
        if not layers:
            yield data
            return
        for piece in layers[0].feed(data):
            yield from self._through(piece, layers[1:])


class _Layer:
    """One packing; of gzip several may follow each other, as its standard allows."""

    def __init__(self, wrapping: int) -> None:
        self._wrapping, self._begun = wrapping, False
        self._zlib = zlib.decompressobj(wrapping)

    @property
    def ended(self) -> bool:
        """Nothing came at all (a 304 has no body), or the last packing that began has ended."""
        return self._zlib.eof or not self._begun

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data or self._zlib.eof:
            if self._zlib.eof and not (data := self._next(data)):
                return
            self._choose(data)
            piece = self._zlib.decompress(data, PIECE)
            while piece:
                yield piece
                data = self._zlib.unconsumed_tail
                piece = b"" if self._zlib.eof else self._zlib.decompress(data, PIECE)
            data = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail

    def _choose(self, data: bytes) -> None:
        """deflate without zlib's wrapping is known by its first byte."""
        if self._wrapping == _ZLIB and not self._begun and data[0] & 0x0F != 8:
            self._wrapping, self._zlib = _RAW, zlib.decompressobj(_RAW)
        self._begun = True

    def _next(self, data: bytes) -> bytes:
        """What follows an end: padding, or another gzip member, for which everything starts again."""
        data = data.lstrip(b"\0")
        if data and self._wrapping != _GZIP:
            raise NotWhole("more after the end")
        if data:
            self._zlib = zlib.decompressobj(self._wrapping)
        return data


def _layer(name: str) -> _Layer:
    if name in ("gzip", "x-gzip"):
        return _Layer(_GZIP)
    if name == "deflate":
        return _Layer(_ZLIB)
    raise NotWhole("a packing that was not asked for")
