"""Where typed text must never arrive as anything but a value: SQL, files, programs, code, sockets, heads, logs, cells of a table."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from sqlalchemy import event

from portal import db
from portal.downloads import sheet
from tests.hostile.fuzzing import NAMES
from tests.hostile.recording import Sender, Sent, Tape
from tests.house.addresses import ways
from tests.house.doors import DOORS
from tests.house.reading import Page
from tests.house.world import VISITORS, World

WORD = "pvxq"
TEXTS = (
    f"{WORD}' OR '1'='1'; DROP TABLE {WORD}; --",
    f"../../../../{WORD}/etc/passwd",
    f"..\\..\\{WORD}",
    f"file:///{WORD}",
    f"http://{WORD}.example/",
    f"//{WORD}.example/",
    f"$(touch {WORD})`touch {WORD}`|touch {WORD};&",
    f"{{{{ {WORD}.__class__ }}}}",
    f"__import__('os').system('{WORD}')",
    f"{WORD}\r\nSet-Cookie: {WORD}=1\r\n\r\n<{WORD}>",
    f"=cmd|'/c {WORD}'!A1",
    f"!!python/object/apply:os.system ['{WORD}']",
    f"gASVpvx{WORD}cposix\nsystem\n(S'{WORD}'\ntR.",
)
WHOLE = bool(os.environ.get("PREVISIT_HOSTILE_WHOLE"))
WHO = VISITORS[2:8] if WHOLE else (VISITORS[2], VISITORS[7])
EVENTS = {"open", "subprocess.Popen", "os.system", "os.exec", "exec", "compile", "import", "pickle.find_class", "socket.connect",
          "socket.getaddrinfo", "os.listdir", "os.remove", "os.rename", "shutil.rmtree", "sqlite3.connect", "ctypes.dlopen"}  # fmt: skip

_listening: list[list[str]] = []


def _heard(name: str, arguments: tuple[Any, ...]) -> None:
    if _listening and name in EVENTS and WORD in repr(arguments)[:20_000].lower():
        _listening[-1].append(f"{name}{repr(arguments)[:200]}")


sys.addaudithook(_heard)


@contextmanager
def listening(statements: list[str]) -> Iterator[list[str]]:
    """What this program did to the world outside it that had the word in it; and each SQL text that had, and how often it was a value."""
    found: list[str] = []

    def executed(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if WORD in statement.lower():
            found.append(f"SQL: {statement[:200]}")
        values = parameters.values() if isinstance(parameters, dict) else parameters
        if any(isinstance(each, str) and WORD in each.lower() for each in values):
            statements.append(statement)

    event.listen(db.engine(), "before_cursor_execute", executed)
    _listening.append(found)
    try:
        yield found
    finally:
        _listening.pop()
        event.remove(db.engine(), "before_cursor_execute", executed)


BUILDING = {"_external": "1", "_scheme": "javascript", "_anchor": WORD, "_method": "POST", "endpoint": WORD}
"""What the framework's own address builder would take for more than values, if somebody could write it into a query."""


def hostile(sent: Sent, texts: tuple[str, ...], turn: int) -> tuple[str, list[tuple[str, str]]]:
    """The same request with every text in every box, and one of them, each time another, under every name that somebody might believe."""
    said = {name: texts[(turn + place) % len(texts)] for place, name in enumerate(NAMES) if name != "csrf_token"}
    query = "&".join(f"{name}={quote(value)}" for name, value in {**said, **({} if sent.posted else BUILDING)}.items())
    path = f"{sent.path.partition('?')[0].partition('#')[0]}?{query}"
    return path, [
        (name, " ".join(texts) if name in sent.boxes and name not in {"step", "version", "shown"} else value)
        for name, value in sent.pairs
    ]


@pytest.mark.parametrize("texts", [(text,) for text in TEXTS] if WHOLE else [TEXTS], ids=lambda texts: texts[0][:30])
def test_what_is_typed_arrives_as_a_value_or_not_at_all(
    world: World, tape: Tape, texts: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    values: list[str] = []
    recordings = {who.name: tape.of(who) for who in WHO}
    with listening(values) as found:
        for who in WHO:
            by = Sender(world, who)
            for turn, sent in enumerate(recordings[who.name]):
                path, pairs = hostile(sent, texts, turn)
                _addresses_stay_ours(by.send(sent, path, pairs), path)
                assert WORD not in str(by.head.getlist("Set-Cookie")).lower(), path
                assert not urlsplit(by.head.get("Location", "")).netloc, path
        by, all_of_them = Sender(world, VISITORS[7]), quote(" ".join(texts), safe="")
        for way in ways(world.app, "GET"):
            if way.parts and way.endpoint in DOORS:
                by.send(Sent(way, ""), f"{way.path(world, VISITORS[7]).rpartition('/')[0]}/{all_of_them}", [])
    said = "".join(capfd.readouterr())
    assert not found, found[:5]
    assert WORD not in said.lower(), "the log holds what was typed"
    assert values, "nothing arrived anywhere: nothing was tried"


def _addresses_stay_ours(told: str, path: str) -> None:
    found = [held.get(name, "") for _, held in Page(told).elements for name in ("href", "action")]
    assert not [each for each in found if each.lower().startswith("javascript") or f"#{WORD}" in each], path[:200]


STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", " =", "\u00a0=", "\u200b=", "|", "%")
ENDS = ("1+1", "cmd|' /C calc'!A0", 'HYPERLINK("http://pvx.example","x")', "SUM(A1:A9)*cmd|x")


@pytest.mark.parametrize("start", STARTS, ids=ascii)
def test_a_cell_of_a_table_never_begins_a_formula(start: str) -> None:
    for end in ENDS:
        rows = list(csv.reader(io.StringIO(sheet(["name", "value"], [[start + end, 'a "b", c\nd']]), newline="")))
        assert rows[0] == ["name", "value"] and rows[1][1] == 'a "b", c\nd'
        assert rows[1][0] == "'" + start + end


def test_numbers_and_plain_words_stand_in_a_table_as_they_are() -> None:
    rows = list(csv.reader(io.StringIO(sheet(["a"], [[-3, 1.5, "K+ <3.5", "a-b", "", None]]), newline="")))
    assert rows[1] == ["-3", "1.5", "K+ <3.5", "a-b", "", ""]
