"""Files are looked through by the clinic's scanner; what it finds, and what nobody could look through, is not taken or handed on."""

from __future__ import annotations

import shutil
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from werkzeug.datastructures import FileStorage

from portal import scanning
from portal.errors import Misconfigured
from portal.intake import files
from portal.scanning import Verdict

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"
"""The file that every scanner is tried with; harmless."""
LETTER = b"%PDF-1.4 a letter" * 9000


class Clamd(socketserver.StreamRequestHandler):
    """What clamd says to zINSTREAM, by its manual; `answer` replaces it."""

    answer: bytes | None = None

    def handle(self) -> None:
        assert self.rfile.read(10) == b"zINSTREAM\0"
        held = b""
        while size := int.from_bytes(self.rfile.read(4), "big"):
            held += self.rfile.read(size)
        told = b"stream: Eicar-Test-Signature FOUND\0" if EICAR in held else b"stream: OK\0"
        self.wfile.write(told if self.answer is None else self.answer)


@pytest.fixture
def clamd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Clamd]]:
    handler = type("Handler", (Clamd,), {})
    with socketserver.ThreadingUnixStreamServer(str(tmp_path / "clamd.ctl"), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        monkeypatch.setenv(scanning.VARIABLE, str(tmp_path / "clamd.ctl"))
        yield handler
        server.shutdown()


def given(content: bytes) -> dict[str, str]:
    return files.attachment(FileStorage(BytesIO(content), "letter.pdf", content_type="application/pdf"))


def test_without_a_scanner_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(scanning.VARIABLE, raising=False)
    assert scanning.look(EICAR) is Verdict.NOT_ASKED


def test_what_the_scanner_finds_is_not_taken_and_the_rest_is(clamd: type[Clamd]) -> None:
    assert given(LETTER)["size"] == str(len(LETTER))
    assert given(LETTER + EICAR + LETTER) == {"title": "letter.pdf", "problem": "file-harmful"}


@pytest.mark.parametrize(
    "answer",
    [b"", b"stream: OK", b"INSTREAM size limit exceeded. ERROR\0", b"stream: OK\0stream: X FOUND\0", b"\xff\xff\0", b"OK\0", b"A" * 9000],
)  # fmt: skip
def test_an_answer_that_does_not_say_clean_is_never_taken_for_it(clamd: type[Clamd], answer: bytes) -> None:
    clamd.answer = answer
    assert given(LETTER) == {"title": "letter.pdf", "problem": "file-unscanned"}


def test_a_scanner_that_is_away_or_silent_leaves_the_file_outside(
    clamd: type[Clamd], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(scanning.VARIABLE, str(tmp_path / "nobody.ctl"))
    assert scanning.look(LETTER) is Verdict.UNKNOWN
    monkeypatch.setenv(scanning.VARIABLE, "tcp://127.0.0.1:1")
    assert scanning.look(LETTER) is Verdict.UNKNOWN
    silent = threading.Event()
    monkeypatch.setenv(scanning.VARIABLE, str(tmp_path / "clamd.ctl"))
    monkeypatch.setattr(scanning, "PATIENCE", 0.1)
    monkeypatch.setattr(clamd, "handle", lambda _: silent.wait(5))
    assert scanning.look(LETTER) is Verdict.UNKNOWN
    silent.set()


@pytest.mark.parametrize("said", ["clamd", "http://127.0.0.1:3310", "tcp://127.0.0.1", "tcp://h:1/x"])
def test_an_address_that_is_no_scanners_is_named(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(scanning.VARIABLE, said)
    with pytest.raises(Misconfigured, match=scanning.VARIABLE):
        scanning.look(b"x")


@pytest.mark.skipif(not shutil.which("clamd"), reason="ClamAV is not installed")
def test_clamav_itself_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real clamd, with a signature of its own, so that nothing has to be fetched."""
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "own.ndb").write_text(f"Eicar-Test-Signature:0:*:{EICAR.hex()}\n")
    place = tmp_path / "clamd.ctl"
    (tmp_path / "clamd.conf").write_text(
        f"LocalSocket {place}\nDatabaseDirectory {tmp_path / 'db'}\nForeground yes\nPidFile {tmp_path / 'pid'}\n"
        f"StreamMaxLength 1M\nTemporaryDirectory {tmp_path}\n"
    )
    running = subprocess.Popen([str(shutil.which("clamd")), "-c", str(tmp_path / "clamd.conf")])
    try:
        until = time.monotonic() + 60
        while not place.exists() and time.monotonic() < until and running.poll() is None:
            time.sleep(0.1)
        monkeypatch.setenv(scanning.VARIABLE, str(place))
        found = [scanning.look(each) for each in (LETTER, EICAR, b"x" * 2_000_000)]
        assert found == [Verdict.CLEAN, Verdict.HARMFUL, Verdict.UNKNOWN]
    finally:
        running.terminate()
        running.wait(20)
