"""Lines leave the machine: in order, over TLS that is checked, through breaks, without anybody waiting for them."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from flask import Flask

from portal import logs, settings, working
from portal.audit import verifier
from portal.errors import Misconfigured
from tests import make
from tests.notices.postman import certificate
from tests.ports import free_port

MESSAGE = re.compile(r"<(\d+)>1 (\S+) (\S+) previsit (\d+) - - (\{.*\})", re.DOTALL)


class Syslog:
    """A server of RFC 5425 that can go away and come back. `lines` are (priority, what the JSON says)."""

    def __init__(self, tls: ssl.SSLContext, port: int) -> None:
        self.tls, self.port, self.lines = tls, port, list[tuple[int, dict[str, object]]]()
        self._came = threading.Condition()
        self._open: list[socket.socket] = []

    def start(self) -> None:
        self._door = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._listen, args=(self._door,), daemon=True).start()

    def stop(self) -> None:
        for each in (self._door, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open.clear()

    def wait_for(self, enough: int | Callable[[list[dict[str, object]]], bool]) -> list[tuple[int, dict[str, object]]]:
        """The lines, once there are so many or it is so with them."""

        def there() -> bool:
            told = [each for _, each in self.lines]
            return enough(told) if callable(enough) else len(told) >= enough

        with self._came:
            assert self._came.wait_for(there, 20), self.lines
            return list(self.lines)

    def _listen(self, door: socket.socket) -> None:
        while True:
            try:
                plain, _ = door.accept()
                line = self.tls.wrap_socket(plain, server_side=True)
            except OSError:
                if door.fileno() < 0:
                    return
                continue
            self._open.append(line)
            threading.Thread(target=self._read, args=(line,), daemon=True).start()

    def _read(self, line: ssl.SSLSocket) -> None:
        with line.makefile("rb") as stream, suppress(OSError, ValueError):
            while size := b"".join(iter(lambda: stream.read(1).strip(), b"")):
                found = MESSAGE.fullmatch(stream.read(int(size)).decode())
                assert found
                with self._came:
                    self.lines.append((int(found[1]), json.loads(found[5])))
                    self._came.notify_all()


@pytest.fixture
def syslog(tmp_path: Path) -> Iterator[tuple[Syslog, str]]:
    tls, authority = certificate(tmp_path)
    server = Syslog(tls, free_port())
    server.start()
    yield server, f"syslog+tls://127.0.0.1:{server.port}?ca={authority}"
    logs.send_to("")
    server.stop()
    structlog.reset_defaults()


def test_what_is_logged_is_told_here_and_there_by_how_bad_it_is(
    syslog: tuple[Syslog, str], capsys: pytest.CaptureFixture[str]
) -> None:
    server, address = syslog
    logs.configure()
    logs.send_to(address)
    log = structlog.get_logger()
    log.info("one", text="a\nb\u2028c")
    log.warning("two")
    log.error("three")
    assert [(priority, told["event"]) for priority, told in server.wait_for(3)] == [
        (86, "one"),
        (84, "two"),
        (83, "three"),
    ]
    assert server.lines[0][1]["text"] == "a\nb\u2028c"
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["one", "two", "three"]


def test_a_collector_that_goes_away_and_comes_back_misses_nothing_that_was_said_meanwhile(
    syslog: tuple[Syslog, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, address = syslog
    monkeypatch.setattr(logs, "LONGEST", 0.05)
    collector = logs.Collector(address)
    collector.put('{"n": 0}')
    server.wait_for(1)
    server.stop()
    for number in range(1, 6):
        collector.put(json.dumps({"n": number}))
    server.start()
    assert [told["n"] for _, told in server.wait_for(6)] == list(range(6))
    collector.close()


def test_what_nobody_can_take_falls_away_and_is_counted(
    syslog: tuple[Syslog, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, address = syslog
    server.stop()
    monkeypatch.setattr(logs, "MOST", 3)
    monkeypatch.setattr(logs, "LONGEST", 0.05)
    collector = logs.Collector(address)
    for number in range(10):
        collector.put(json.dumps({"n": number}))
    server.start()
    told = [
        each for _, each in server.wait_for(lambda lines: any("count" in each for each in lines) and {"n": 9} in lines)
    ]
    lost = sum(int(str(each["count"])) for each in told if each.get("event") == "log lines lost")
    came = [each["n"] for each in told if "n" in each]
    assert came[-1] == 9 and came == sorted(came, key=lambda n: int(str(n))) and lost + len(came) == 10
    collector.close()


def test_nothing_is_told_to_one_whose_certificate_is_not_believed(syslog: tuple[Syslog, str], tmp_path: Path) -> None:
    server, address = syslog
    (tmp_path / "other").mkdir()
    _, foreign = certificate(tmp_path / "other")
    collector = logs.Collector(f"{address.partition('?')[0]}?ca={foreign}")
    assert collector._sent(logs.framed("{}", 6, datetime.now(UTC))) is False and server.lines == []
    collector.close()


def _ends(lines: list[dict[str, object]]) -> int:
    return sum(each["event"] == "audit head" for each in lines)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_trail_leaves_the_machine_entry_by_entry_and_can_be_proved_there(
    app: Flask, syslog: tuple[Syslog, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each entry once, before the signed end that covers it; what arrived makes a chain by itself, without the database."""
    server, address = syslog
    monkeypatch.setenv("PREVISIT_INSTANCE", str(tmp_path / "keys-of-audit"))
    logs.configure()
    logs.send_to(address)
    clinic = make.clinic(forms=())
    make.patient_account(make.patient(clinic))
    working._sign_heads()
    make.patient_account(make.patient(clinic, "Ben Ode"), "ben@example.org")
    working._sign_heads()
    told = [each for _, each in server.wait_for(lambda lines: _ends(lines) == 2)]
    entries = [each["entry"] for each in told if each["event"] == "audit entry"]
    ends = [each for each in told if each["event"] == "audit head"]
    assert [each["seq"] for each in entries] == list(range(1, len(entries) + 1)) and len(ends) == 2  # type: ignore[index]
    whole = {clinic.id: (ends[-1]["seq"], ends[-1]["hash"])}
    key = settings.key_ring({"PREVISIT_KEYS": str(app.config["SETTINGS"].instance / "keys.json")}).derived("audit")
    assert verifier.breaks(key, entries, whole, []) == []  # type: ignore[arg-type]
    assert verifier.breaks(key, entries[1:], whole, []) != []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "address", ["udp://logs.example.org", "syslog+tls://", "https://logs.example.org", "syslog+tls://h?verify=no", "syslog+tls://h?ca=/no"]
)  # fmt: skip
def test_an_address_that_is_no_collectors_stops_the_start(address: str) -> None:
    with pytest.raises(Misconfigured, match="PREVISIT_LOG_COLLECTOR"):
        settings._collector(address)
