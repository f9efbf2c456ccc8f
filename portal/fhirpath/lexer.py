"""Text to tokens, by the lexical rules of FHIRPath (N1, with Long numbers); ASCII digits only."""

from __future__ import annotations

import re
from typing import NamedTuple

from portal.fhirpath.errors import FhirPathSyntaxError

SPACE = re.compile(r"(?:[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)*", re.DOTALL)
TOKEN = re.compile(
    r"""
      (?P<datetime>@[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?
          (?:T(?:[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?)?)
    | (?P<time>@T[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)
    | (?P<number>[0-9]+(?:\.[0-9]+|L)?)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<quoted>`(?:\\.|[^`\\])*`)
    | (?P<string>'(?:\\.|[^'\\])*')
    | (?P<special>\$(?:this|index|total)\b)
    | (?P<mark><=|>=|!=|!~|[-+*/&|=~<>.,:()\[\]{}%])
    """,
    re.VERBOSE | re.DOTALL,
)
ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}


class Token(NamedTuple):
    """kind: datetime, time, number, word, quoted, string, special, mark or end; text is unescaped."""

    kind: str
    text: str
    pos: int


def tokens(text: str) -> list[Token]:
    """All tokens and one of kind `end`."""
    found: list[Token] = []
    at = _skip(text, 0)
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise FhirPathSyntaxError(_wrong(text, at), at)
        kind = match.lastgroup or ""
        body = match.group()
        if kind in ("quoted", "string"):
            body = unescape(body[1:-1])
        found.append(Token(kind, body, at))
        at = _skip(text, match.end())
    found.append(Token("end", "", len(text)))
    return found


def _skip(text: str, at: int) -> int:
    match = SPACE.match(text, at)
    end = match.end() if match else at
    if text.startswith("/*", end):
        raise FhirPathSyntaxError("a comment is not closed", end)
    return end


def _wrong(text: str, at: int) -> str:
    if text[at] in "'`":
        return "a quotation is not closed"
    if text[at] in '"\u2018\u2019\u201c\u201d':
        return "a text stands between single straight quotation marks: 'text'"
    return "this character does not belong in an expression"


def unescape(body: str) -> str:
    """FHIRPath's escapes; a backslash before any other character is dropped."""
    if "\\" not in body:
        return body
    return paired(ESCAPE.sub(_unescape_one, body))


def paired(text: str) -> str:
    """Two halves of a surrogate pair become their character; a half alone becomes the replacement character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unescape_one(match: re.Match[str]) -> str:
    code = match.group(1)
    if len(code) == 5:
        return chr(int(code[1:], 16))
    return ESCAPES.get(code, code)
