"""Filling a large form in before the patient comes, beside @aehrc/sdc-populate."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from portal.questionnaire import Context, load, populate
from tests.bench import peers
from tests.bench.figures import goal, median_cpu, told
from tests.bench.forms import PATIENT, large

NOW = datetime(2026, 11, 22, tzinfo=UTC)
Json = dict[str, Any]


def run() -> None:
    raw = large()
    form, context = load(raw), Context(now=NOW, launch={"patient": PATIENT})
    mine = populate(form, context)
    taken = median_cpu(lambda: populate(form, context))
    told(f"populating 808 items: {taken:.1f} ms")
    try:
        theirs = peers.run("populate.cjs", {"form": raw, "patient": PATIENT}, 5)
    except peers.Missing as why:
        told(f"sdc-populate: {why}")
        return
    same = answers(mine) == answers(theirs["response"])
    what = "equal answers" if same else "answers differ"
    goal(f"population of 808 items: faster than sdc-populate ({what})", theirs["pass"] / taken, 1, least=True)


def answers(response: Json) -> dict[str, list[str]]:
    """What was prefilled, by linkId. Calculated items are left out: sdc-populate leaves them to its renderer."""
    found = {str(item["linkId"]): [said(answer) for answer in item["answer"]] for item in below(response)}
    return {link_id: values for link_id, values in found.items() if not link_id.endswith(".3")}


def said(answer: Json) -> str:
    return next(str(value) for key, value in answer.items() if key.startswith("value"))


def below(response: Json) -> Iterator[Json]:
    waiting = list(response.get("item") or ())
    while waiting:
        item = waiting.pop()
        waiting += item.get("item") or ()
        if item.get("answer"):
            yield item
