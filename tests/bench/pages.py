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
PAGE = 8
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
        empty = cost(portal, lambda: patient.get(f"{portal.url}/pulse"))
        costs = {name: page_costs(portal, patient, portal.form(name), forms[name]) for name in forms}
        told(f"an empty route costs {empty.cpu * 1000:.2f} ms; {ROUNDS} requests each")
        get, post = costs["large"]
        goal("a page of 12 questions of a form of 828 items, opened", get.cpu / empty.cpu, 5)
        goal("the same page saved", post.cpu / empty.cpu, 5)
        for what, at in (("opened", 0), ("saved", 1)):
            goal(
                f"the same of a form of 1,989 items beside one of 519, {what}",
                costs["huge"][at].cpu / costs["small"][at].cpu,
                1.5,
            )
        first_visit(portal, patient, portal.form("large"))
        others(portal, patient, empty)


def page_costs(portal: Portal, patient: requests.Session, form: str, raw: Json) -> tuple[Cost, Cost]:
    """The same section of a form that was begun, opened and saved."""
    page = f"{form}/{load(raw).layout[PAGE].key}"
    save = poster(patient, page)
    save()
    return cost(portal, lambda: patient.get(page)), cost(portal, save)


def cost(portal: Portal, ask: Ask) -> Cost:
    for _ in range(10):
        answer = ask()
        assert answer.status_code in {200, 303}, (answer.status_code, answer.url)
    before, times = portal.cpu(), []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        answer = ask()
        times.append(time.perf_counter() - started)
    return Cost((portal.cpu() - before) / ROUNDS, statistics.median(times), len(gzip.compress(answer.content)))


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


def others(portal: Portal, patient: requests.Session, empty: Cost) -> None:
    """The other pages, without a goal of their own."""
    visit = portal.visit("large")
    clerk = running.signed_in(portal.url, running.CLINICIAN)
    series: dict[str, Ask] = {
        "visits": lambda: patient.get(f"{portal.url}/visits"),
        "hub": lambda: patient.get(visit),
        "confirm (could not look)": lambda: patient.get(f"{visit}/confirm/medication"),
        "check your answers": lambda: patient.get(f"{visit}/check"),
        "who looked": lambda: patient.get(f"{portal.url}/who-looked"),
        "desk": lambda: clerk.get(f"{portal.url}/desk"),
    }
    for name, ask in series.items():
        found = cost(portal, ask)
        told(f"{name:28}{found.cpu / empty.cpu:7.1f} × empty{found.median * 1000:9.1f} ms p50{found.size:9,} bytes")
