"""Forms, responses and launch data spoiled at JSON level (removed, retyped, doubled, nested, swapped), through every use of a
form: python -m tests.questionnaire.mutating [RUNS] [SEED] (with PORTAL_CORPUS also over the public forms)."""

from __future__ import annotations

import contextlib
import copy
import json
import sys
import traceback
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from importlib.resources import files
from random import Random
from typing import Any

from portal.questionnaire import (
    Filling,
    FormRefused,
    assemble,
    context_of,
    extract,
    load,
    operation_outcome,
    populated,
    report,
    score,
    validate,
)  # fmt: skip
from tests.corpus.corpus import ROOT, read
from tests.corpus.corpus import forms as public
from tests.questionnaire.make import NOW, context
from tests.questionnaire.rich import FORM, MODULE, PARAMETERS, RESPONSE

ODD: list[Any] = [
    None, 0, -1, 3, 1.5, Decimal("1E+400"), "", "x", " ", "%patient", "#x", "{{%x}}", "2020-02-30", "'", "(" * 40,
    True, False, [], {}, [3], [None], [[]], [{}], {"a": 1}, {"extension": 3}, {"resourceType": "Bundle", "entry": [3]},
    {"url": "x"}, {"coding": [3]}, {"reference": 3}, {"code": []}, {"value": "x"}, {"linkId": "x"}, "group", "choice",
]  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    stack = [value]
    while stack:
        current = stack.pop()
        keys = current if isinstance(current, dict) else range(len(current)) if isinstance(current, list) else ()
        for key in keys:
            found.append((current, key))
            stack.append(current[key])
    return found


def spoil(value: Any, chance: Random) -> Any:
    """Another value, changed in one to four places."""
    made = copy.deepcopy(value)
    for _ in range(chance.randint(1, 4)):
        if found := places(made):
            holder, key = chance.choice(found)
            _change(holder, key, copy.deepcopy(chance.choice(found)), chance)
    return made


def _change(holder: Any, key: Any, other: tuple[Any, Any], chance: Random) -> None:
    how = chance.choice(["remove", "retype", "retype", "double", "nest", "swap", "rename"])
    if how == "remove":
        del holder[key]
    elif how == "retype":
        holder[key] = copy.deepcopy(chance.choice(ODD))
    elif how == "double" and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif how == "double":
        holder[key] = [copy.deepcopy(holder[key]), holder[key]]
    elif how == "nest":
        holder[key] = chance.choice([[holder[key]], {"item": [holder[key]]}, {"extension": [holder[key]]}])
    elif how == "swap":
        holder[key] = copy.deepcopy(other[0][other[1]])
    elif isinstance(holder, dict):
        holder[str(other[1])] = holder.pop(key)


def everything(raw: Any, response: Any, parameters: Any) -> str:
    """What a form is used for, one after the other; "ok" or "refused". Anything that raises is a defect."""
    told = report(raw)
    json.dumps(told, default=str)
    assert told["status"] in ("ok", "refused")
    if told["status"] == "refused":
        assert told["reasons"]
        assert all(isinstance(one["linkId"], str) and one["code"] and one["reason"] for one in told["reasons"])
        return "refused"
    put_together(raw)
    form = load(raw)
    about = context_of(parameters, NOW) if isinstance(parameters, dict) else context()
    draft, _ = populated(form, about)
    filling = _drawn(Filling(form, draft, about))
    for given in (filling.response("completed"), response):
        json.dumps(operation_outcome(validate(form, given, about)), default=str)
        if isinstance(given, dict):
            assert extract(form, given, about).bundle["resourceType"] == "Bundle"
            score(form, given, about)
            _drawn(Filling(form, given, about))
    return "ok"


def _drawn(filling: Filling) -> Filling:
    for key in filling.keys:
        for node in filling.nodes(key):
            _ = [str(option.label) for option in node.options]
    filling.check()
    filling.summary("es")
    again = Filling(filling.form, json.loads(filling.draft_text(), parse_float=Decimal), filling.context)
    assert again.draft() == filling.draft()
    return filling


def put_together(raw: Any) -> None:
    with contextlib.suppress(FormRefused):
        assemble(raw, {"urn:other": MODULE})


def bases() -> Iterator[Any]:
    yield FORM
    for one in sorted(files("portal.bundled").iterdir(), key=lambda file: file.name):
        if one.name.endswith(".json"):
            yield json.loads(one.read_text("utf-8"), parse_float=Decimal)


def one(seed: int, known: list[Any]) -> str:
    """One run: the form as it is or spoiled, with a spoiled response and spoiled Parameters."""
    chance = Random(seed)
    raw = known[0] if chance.random() < 0.5 else chance.choice(known)
    spoiled = spoil(raw, chance) if chance.random() < 0.8 else raw
    own = raw is FORM
    response = spoil(RESPONSE, chance) if own else {**RESPONSE, "questionnaire": None}
    return everything(spoiled, response, spoil(PARAMETERS, chance) if own else PARAMETERS)


def main(runs: int, seed: int) -> None:
    known = [*bases(), *(_known(path) for path in public())] if ROOT.is_dir() else [*bases()]
    counts: Counter[str] = Counter()
    for number in range(seed, seed + runs):
        try:
            counts[one(number, known)] += 1
        except Exception:
            counts["raised"] += 1
            last = traceback.extract_tb(sys.exc_info()[2])[-1]
            print(f"seed {number}: {sys.exc_info()[1]!r:.150} at {last.filename.rpartition('/')[2]}:{last.lineno}")
    print(dict(counts))


def _known(path: str) -> Any:
    try:
        return read(path)
    except ValueError:
        return {}


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    main(*given, *(10_000, 0)[len(given) :])
