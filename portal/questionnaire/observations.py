"""The latest observation that answers a question: by the item's codes, within its observationLinkPeriod."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from . import extensions as ext
from .comparing import number, same_coding
from .context import Context
from .extensions import Json
from .items import Item
from .units import in_unit

_DAYS = {"a": Decimal("365.25"), "y": Decimal("365.25"), "mo": Decimal("30.44"), "wk": Decimal(7), "d": Decimal(1)}
_HOURS = {"h": Decimal(1), "min": 1 / Decimal(60), "s": 1 / Decimal(3600)}
_WORDS = {"year": "a", "month": "mo", "week": "wk", "day": "d", "hour": "h", "minute": "min", "second": "s"}
_DONE = frozenset({"final", "amended", "corrected"})


Fits = Callable[[Any], bool]
"""Whether a question takes this value."""


def latest(
    item: Item, context: Context, fits: Fits, failed: Callable[[str], None], within: Json | None = None
) -> tuple[Any, Json] | None:
    """(value, observation) of the newest final observation with one of the item's codes whose value fits, or None.

    `within`: the observation that what stands around the item is about; then only its components and members count.
    `failed` is told when the record could not be asked. The value is None for a group, which only says what it is about.
    """
    period = ext.value(item.extensions, "observationLinkPeriod")
    since = _since(period, context.now) if isinstance(period, dict) else None
    dated = [(when, o) for o in _known(item, context, failed, within) if (when := _when(o)) is not None]
    for _, observation in sorted(
        (d for d in dated if since is None or d[0] >= since), key=lambda d: d[0], reverse=True
    ):
        if not item.is_question:
            return None, observation
        for value in _values(observation, item, within):
            measured = in_unit(item, value)
            if measured is not None and fits(measured):
                return measured, observation
    return None


def _values(observation: Json, item: Item, within: Json | None) -> Iterator[Any]:
    """What an observation says: of itself, or in the components that have the item's code."""
    listed = observation.get("component") if observation is within else None
    parts = [part for part in listed if isinstance(part, dict)] if isinstance(listed, list) else [observation]
    for part in parts:
        if part is observation or _coded(part, _codes(item)):
            yield from (value for key, value in part.items() if key.startswith("value") and value is not None)


def query(item: Item, context: Context) -> str:
    """The search that finds them at the clinic's server."""
    codes = ",".join(f"{c.get('system') or ''}|{c.get('code')}" for c in item.raw.get("code") or () if c.get("code"))
    patient = context.launch.get("patient") or {}
    subject = f"&patient={patient['id']}" if patient.get("id") else ""
    return f"Observation?code={codes}{subject}&_sort=-date&_count=10"


def _codes(item: Item) -> list[Json]:
    return [code for code in item.raw.get("code") or () if isinstance(code, dict)]


def _known(item: Item, context: Context, failed: Callable[[str], None], within: Json | None) -> Iterator[Json]:
    """Observations with one of the codes: of one panel, or those passed in (launch or variables), or else fetched."""
    codes = _codes(item)
    if not codes:
        return
    if within is not None:
        yield from _reached(within, codes, context)
        return
    held = [o for o in _in([*context.launch.values(), *context.variables.values()]) if _suits(o, codes, context)]
    if not held and context.fetch is not None:
        answer = context.fetch(query(item, context))
        if answer is None or answer.get("resourceType") == "OperationOutcome":
            failed("could not look for earlier observations")
        held = [o for o in _in([answer]) if _suits(o, codes, context)]
    yield from held


def _reached(panel: Json, codes: list[Json], context: Context) -> Iterator[Json]:
    """The panel itself where a component has the code, and its members."""
    listed = panel.get("component")
    if isinstance(listed, list) and any(isinstance(part, dict) and _coded(part, codes) for part in listed):
        yield panel
    held = {str(o.get("id")): o for o in _in([*context.launch.values(), *context.variables.values()])}
    for member in panel.get("hasMember") or ():
        reference = str(member.get("reference") or "") if isinstance(member, dict) else ""
        found = held.get(reference.rpartition("/")[2]) or (
            context.fetch(reference) if context.fetch and reference else None
        )
        if isinstance(found, dict) and _suits(found, codes, context):
            yield found


def _coded(element: Json, codes: list[Json]) -> bool:
    code = element.get("code")
    codings = code.get("coding") if isinstance(code, dict) else None
    listed = codings if isinstance(codings, list) else []
    return any(same_coding(a, b) for a in codes for b in listed if isinstance(b, dict))


def _suits(observation: Json, codes: list[Json], context: Context) -> bool:
    """Final, of one of the codes, of the patient and of nothing else (a focus)."""
    if str(observation.get("status")) not in _DONE or not _coded(observation, codes):
        return False
    patient = (context.launch.get("patient") or {}).get("id")
    focus = observation.get("focus")
    if isinstance(focus, list) and focus and not all(_is(one, patient) for one in focus):
        return False
    return not patient or not observation.get("subject") or _is(observation["subject"], patient)


def _is(reference: Any, identity: Any) -> bool:
    said = str((reference.get("reference") if isinstance(reference, dict) else "") or "").partition("/_history")[0]
    return bool(identity) and said.rpartition("/")[2] == identity


def _in(values: list[Any]) -> Iterator[Json]:
    for value in values:
        if isinstance(value, list):
            yield from _in(value)
        elif isinstance(value, dict) and value.get("resourceType") == "Observation":
            yield value
        elif isinstance(value, dict) and value.get("resourceType") == "Bundle":
            listed = value.get("entry")
            entries = listed if isinstance(listed, list) else []
            yield from _in([entry.get("resource") for entry in entries if isinstance(entry, dict)])


def _since(period: Json, now: datetime) -> datetime | None:
    amount, unit = number(period.get("value")), str(period.get("code") or period.get("unit") or "")
    unit = _WORDS.get(unit.rstrip("s"), unit)
    if amount is None or unit not in _DAYS | _HOURS:
        return None
    hours = amount * (_DAYS[unit] * 24 if unit in _DAYS else _HOURS[unit])
    try:
        return now - timedelta(hours=float(hours))
    except OverflowError:
        return None


def true_on(observation: Json) -> str:
    """The date or moment on which it was true, as it is written there; "" where it says none."""
    return _dated(observation)[0]


def _when(observation: Json) -> datetime | None:
    """When it was true: effective, else issued; a date counts from its start, in UTC."""
    return _dated(observation)[1]


def _dated(observation: Json) -> tuple[str, datetime | None]:
    period = observation.get("effectivePeriod") or {}
    moments = [
        observation.get("effectiveDateTime"),
        observation.get("effectiveInstant"),
        period.get("end"),
        period.get("start"),
    ]
    for text in [*moments, observation.get("issued")]:
        if isinstance(text, str):
            padded = text + {4: "-01-01", 7: "-01"}.get(len(text), "")
            try:
                moment = datetime.fromisoformat(padded)
            except ValueError:
                continue
            return text, moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return "", None
