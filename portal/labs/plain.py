"""What a piece of HTML says, as plain text: no mark-up, no script, no address comes through. Pure."""

import re
from html.parser import HTMLParser

_SILENT = frozenset({"script", "style", "head", "title", "template", "noscript", "svg", "math", "object", "iframe"})
_HEADINGS = frozenset(f"h{level}" for level in range(1, 7))
_LINES = _HEADINGS | {
    "p",
    "div",
    "br",
    "hr",
    "tr",
    "li",
    "ul",
    "ol",
    "dl",
    "dt",
    "dd",
    "pre",
    "table",
    "caption",
    "thead",
}
_LINES |= {"tbody", "section", "blockquote"}
_CELLS = frozenset({"td", "th"})
MOST = 2_000_000


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in _SILENT:
            self._silent.append(tag)
        elif tag in _LINES:
            self.pieces.append("\n")
        elif tag in _CELLS:
            self.pieces.append("\t")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT and tag in self._silent:
            del self._silent[self._silent.index(tag) :]
        elif tag in _LINES:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(re.sub(r"\s+", " ", data))


def text_of(html: str) -> str:
    """One line for each block, cells of a table apart by a wide space, no empty lines at the ends."""
    words = _Words()
    words.feed(html[:MOST])
    words.close()
    lines = (
        "   ".join(part.strip() for part in line.split("\t") if part.strip())
        for line in "".join(words.pieces).split("\n")
    )
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
