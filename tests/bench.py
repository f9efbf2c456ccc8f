"""`make bench`: what pages cost, as multiples of an empty route of the same application over HTTP, in one run; memory at rest; bytes.

CPU is that of the serving process, read from the kernel before and after each series, so a busy machine changes little.
"""

from __future__ import annotations

import gzip
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import requests

from portal import db, sealing, settings
from portal.actors import Role
from portal.clock import now
from tests import make
from tests.ports import free_port

ROUNDS = int(os.environ.get("PREVISIT_BENCH_ROUNDS", "200"))
TICK = os.sysconf("SC_CLK_TCK")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        instance = Path(folder)
        sealing.create(instance / "keys.json")
        port = free_port()
        environ = {
            **os.environ,
            "PREVISIT_DEMO": "1",
            "PREVISIT_INSTANCE": folder,
            "PREVISIT_BASE_URL": f"http://127.0.0.1:{port}",
            "PREVISIT_BIND": f"127.0.0.1:{port}",
        }
        visit_id = _world(environ)
        command = [sys.executable, "-m", "portal.cli"]
        serve = subprocess.Popen([*command, "serve"], env=environ)
        work = subprocess.Popen([*command, "worker"], env=environ)
        try:
            _measure(f"http://127.0.0.1:{port}", serve.pid, work.pid, visit_id)
        finally:
            for process in (serve, work):
                process.send_signal(signal.SIGTERM)
                process.wait(40)


def _world(environ: dict[str, str]) -> str:
    config = settings.read(environ)
    db.connect(config.database, config.keys)
    db.migrate()
    clinic = make.clinic()
    patient = make.patient(clinic)
    make.patient_account(patient)
    make.staff(clinic, Role.CLINICIAN)
    visit_id = make.visit(patient).id
    db.dispose()
    return visit_id


def _measure(url: str, serve: int, work: int, visit_id: str) -> None:
    _until_up(url)
    time.sleep(3)
    serving = _children(serve)[0]
    print(f"memory at rest: portal {_pss(serve) + _pss(serving):.0f} MB in two processes, worker {_pss(work):.0f} MB")
    patient, clerk = _signed_in(url, "ana@example.org"), _signed_in(url, "clinician@example.org")
    form = f"{url}/visits/{visit_id}/forms/health-history"
    post = _poster(patient, f"{form}/daily-life")
    series: dict[str, Callable[[], requests.Response]] = {
        "an empty route": lambda: patient.get(f"{url}/pulse"),
        "visits": lambda: patient.get(f"{url}/visits"),
        "hub": lambda: patient.get(f"{url}/visits/{visit_id}"),
        "confirm (could not look)": lambda: patient.get(f"{url}/visits/{visit_id}/confirm/medication"),
        "form page, 5 questions": lambda: patient.get(f"{form}/daily-life"),
        "form page saved": post,
        "check your answers": lambda: patient.get(f"{url}/visits/{visit_id}/check"),
        "who looked": lambda: patient.get(f"{url}/who-looked"),
        "desk": lambda: clerk.get(f"{url}/desk"),
    }
    empty = 0.0
    print(f"{'page':28}{'CPU ms':>8}{'× empty':>9}{'p50 ms':>8}{'bytes':>8}   ({ROUNDS} requests each)")
    for name, ask in series.items():
        cpu, median, size = _cost(serving, ask)
        empty = empty or cpu
        print(f"{name:28}{cpu * 1000:8.2f}{cpu / empty:9.1f}{median * 1000:8.2f}{size:8}")
    _bytes(url, patient, f"{form}/daily-life")


def _cost(pid: int, ask: Callable[[], requests.Response]) -> tuple[float, float, int]:
    for _ in range(10):
        answer = ask()
        assert answer.status_code in {200, 303}, (answer.status_code, answer.url)
    before, times = _cpu(pid), []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        answer = ask()
        times.append(time.perf_counter() - started)
    return (_cpu(pid) - before) / ROUNDS, statistics.median(times), len(gzip.compress(answer.content))


def _poster(session: requests.Session, page: str) -> Callable[[], requests.Response]:
    """Saves the page as a browser would, with answers that change each time."""
    html = session.get(page).text
    hidden = dict(re.findall(r'<input type="hidden" name="(csrf_token|shown)" value="([^"]*)"', html))
    choices: dict[str, list[str]] = {}
    for name, value in re.findall(r'name="(q\d+)" type="radio" value="([^"]+)"', html):
        choices.setdefault(name, []).append(value)
    turn = [0]

    def send() -> requests.Response:
        turn[0] += 1
        answers = {name: values[turn[0] % 2] for name, values in choices.items()}
        return session.post(page, data={**hidden, **answers, "step": "update"}, allow_redirects=False)

    return send


def _bytes(url: str, session: requests.Session, page: str) -> None:
    html = session.get(page).text
    sizes = {"page": len(gzip.compress(html.encode()))}
    for asset in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', html)):
        answer = session.get(url + asset, headers={"Accept-Encoding": "gzip"}, stream=True)
        sizes[asset.split("?")[0]] = len(answer.raw.read())
    total = sum(sizes.values())
    print(
        f"first visit {total / 1000:.1f} kB over the wire (page compressed): "
        + ", ".join(f"{k} {v}" for k, v in sizes.items())
    )


def _signed_in(url: str, email: str) -> requests.Session:
    session = requests.Session()
    page = session.get(f"{url}/sign-in").text
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found
    form = {"email": email, "password": make.PASSWORD, "csrf_token": found.group(1)}
    assert session.post(f"{url}/sign-in", data=form).ok
    return session


def _until_up(url: str) -> None:
    until = now().timestamp() + 60
    while now().timestamp() < until:
        try:
            if requests.get(f"{url}/pulse", timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.2)
    raise SystemExit("the portal did not start")


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def _pss(pid: int) -> float:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    assert found
    return int(found.group(1)) / 1024


if __name__ == "__main__":
    main()
