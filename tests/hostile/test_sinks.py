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
from tests.hostile.test_replay import Sender, Sent, recorded
from tests.house.addresses import admitted, ways
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


def hostile(sent: Sent, text: str) -> tuple[str, list[tuple[str, str]]]:
    """The same request with the text in every box and under every name that somebody might believe."""
    path = f"{sent.path.partition('?')[0].partition('#')[0]}?{'&'.join(f'{name}={quote(text)}' for name in NAMES if name != 'csrf_token')}"
    return path, [
        (name, text if name in sent.boxes and name not in {"step", "version", "shown"} else value)
        for name, value in sent.pairs
    ]


@pytest.mark.parametrize("text", TEXTS if WHOLE else [" ".join(TEXTS)], ids=lambda text: text[:30])
def test_what_is_typed_arrives_as_a_value_or_not_at_all(
    world: World, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    values: list[str] = []
    with listening(values) as found:
        for who in VISITORS[2:8] if WHOLE else (VISITORS[2], VISITORS[7]):
            by = Sender(world, who)
            for sent in recorded(world, who):
                path, pairs = hostile(sent, text)
                by.send(sent, path, pairs)
                assert WORD not in str(by.head.getlist("Set-Cookie")).lower(), path
                assert not urlsplit(by.head.get("Location", "")).netloc, path
        for way in ways(world.app, "GET"):
            if way.parts and way.endpoint in DOORS:
                by = Sender(world, VISITORS[7])
                by.send(Sent(way, ""), way.path(world, VISITORS[7]).rpartition("/")[0] + "/" + quote(text, safe=""), [])
    _addresses_stay_ours(world)
    said = "".join(capfd.readouterr())
    assert not found, found[:5]
    assert WORD not in said.lower(), "the log holds what was typed"
    assert values, "nothing arrived anywhere: nothing was tried"


def _addresses_stay_ours(world: World) -> None:
    """Names that the framework's own address builder takes do nothing when somebody writes them into a query."""
    for who in VISITORS[2:8] if WHOLE else (VISITORS[2], VISITORS[7]):
        client = world.client(who)
        for way in ways(world.app, "GET"):
            if way.endpoint in DOORS and admitted(way, who):
                answer = client.get(
                    way.path(world, who)
                    + f"?_external=1&_scheme=javascript&_anchor={WORD}&_method=POST&endpoint={WORD}"
                )
                assert answer.status_code < 500, str(way)
                links = [
                    held.get(name, "")
                    for _, held in Page(answer.get_data(as_text=True)).elements
                    for name in ("href", "action")
                ]
                assert not [link for link in links if link.lower().startswith("javascript") or f"#{WORD}" in link], str(
                    way
                )


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
