"""What pages cost over HTTP, as multiples of an empty route of the same application; and how that grows with the form.

The cost is the serving process's processor time, read from the kernel before and after a series, so a busy machine changes little.
"""

from __future__ import annotations

import gzip
import os
import re
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import requests

from portal.questionnaire import load
from tests.bench import running
from tests.bench.figures import goal, told
from tests.bench.forms import Json, large
from tests.bench.running import Portal

ROUNDS = int(os.environ.get("PREVISIT_BENCH_ROUNDS", "200"))
TURNS = 20
PAGE = 8
EMPTY = "an empty route"
"""Of the generated forms: a section well inside."""
Ask = Callable[[], requests.Response]


@dataclass(frozen=True)
class Cost:
    cpu: float
    median: float
    size: int


def run() -> None:
    forms = {"small": large(25, 2), "large": large(40, 2), "huge": large(96, 2)}
    with running.running(forms) as portal:
        patient = running.signed_in(portal.url, running.PATIENT)
        series: dict[str, Ask] = {EMPTY: lambda: patient.get(f"{portal.url}/pulse")}
        for name, raw in forms.items():
            series |= pages_of(patient, name, portal.form(name), raw)
        found = costs(portal, series)
        told(f"an empty route costs {found[EMPTY].cpu * 1000:.2f} ms; {ROUNDS} requests each, taken in turn")
        goal("a page of 12 questions of a form of 828 items, opened", found["large opened"].cpu / found[EMPTY].cpu, 5)
        goal("the same page saved", found["large saved"].cpu / found[EMPTY].cpu, 5)
        for what in ("opened", "saved"):
            grown = found[f"huge {what}"].cpu / found[f"small {what}"].cpu
            goal(f"the same of a form of 1,989 items beside one of 519, {what}", grown, 1.5)
        first_visit(portal, patient, portal.form("large"))
        others(portal, patient)


def pages_of(patient: requests.Session, name: str, form: str, raw: Json) -> dict[str, Ask]:
    """The same section of a form that was begun, opened and saved."""
    page = f"{form}/{load(raw).layout[PAGE].key}"
    save = poster(patient, page)
    save()
    return {f"{name} opened": lambda: patient.get(page), f"{name} saved": save}


def costs(portal: Portal, series: dict[str, Ask]) -> dict[str, Cost]:
    """Each asked as often as the others, a few times in turn: what else the machine does meets all of them alike."""
    for ask in series.values():
        for _ in range(10):
            answer = ask()
            assert answer.status_code in {200, 303}, (answer.status_code, answer.url)
    taken: dict[str, list[float]] = {name: [] for name in series}
    waited: dict[str, list[float]] = {name: [] for name in series}
    for _ in range(TURNS):
        for name, ask in series.items():
            before = portal.cpu()
            for _ in range(ROUNDS // TURNS):
                started = time.perf_counter()
                ask()
                waited[name].append(time.perf_counter() - started)
            taken[name].append((portal.cpu() - before) / (ROUNDS // TURNS))
    sizes = {name: len(gzip.compress(ask().content)) for name, ask in series.items()}
    return {name: Cost(statistics.median(taken[name]), statistics.median(waited[name]), sizes[name]) for name in series}


def hidden(html: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(csrf_token|shown)" value="([^"]*)"', html))


def poster(patient: requests.Session, page: str) -> Ask:
    """Saves the page as a browser would, with answers that change each time."""
    html = patient.get(page).text
    choices: dict[str, list[str]] = {}
    for name, value in re.findall(r'name="(q\d+)" type="radio" value="([^"]+)"', html):
        choices.setdefault(name, []).append(value)
    turn = [0]

    def send() -> requests.Response:
        turn[0] += 1
        answers = {name: values[turn[0] % 2] for name, values in choices.items()}
        return patient.post(page, data={**hidden(html), **answers, "step": "update"}, allow_redirects=False)

    return send


def first_visit(portal: Portal, patient: requests.Session, form: str) -> None:
    """What a first visit transfers: the page and what it loads, compressed."""
    html = patient.get(form).text
    sizes = {"page": len(gzip.compress(html.encode()))}
    for asset in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', html)):
        answer = patient.get(portal.url + asset, headers={"Accept-Encoding": "gzip"}, stream=True)
        sizes[asset.split("?")[0]] = len(answer.raw.read())
    goal("a first visit to the large form, over the wire", sum(sizes.values()) / 1000, 40, unit="kB")
    told(", ".join(f"{name} {size:,}" for name, size in sizes.items()))


def others(portal: Portal, patient: requests.Session) -> None:
    """The other pages, without a goal of their own."""
    visit = portal.visit("large")
    clerk = running.signed_in(portal.url, running.CLINICIAN)
    series: dict[str, Ask] = {
        EMPTY: lambda: patient.get(f"{portal.url}/pulse"),
        "visits": lambda: patient.get(f"{portal.url}/visits"),
        "hub": lambda: patient.get(visit),
        "confirm (could not look)": lambda: patient.get(f"{visit}/confirm/medication"),
        "check your answers": lambda: patient.get(f"{visit}/check"),
        "who looked": lambda: patient.get(f"{portal.url}/who-looked"),
        "desk": lambda: clerk.get(f"{portal.url}/desk"),
    }
    found = costs(portal, series)
    for name, each in found.items():
        times = each.cpu / found[EMPTY].cpu
        told(f"{name:28}{times:7.1f} × empty{each.median * 1000:9.1f} ms p50{each.size:9,} bytes")
