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

_DAYS = {"a": Decimal("365.25"), "y": Decimal("365.25"), "mo": Decimal("30.44"), "wk": Decimal(7), "d": Decimal(1)}
_HOURS = {"h": Decimal(1), "min": 1 / Decimal(60), "s": 1 / Decimal(3600)}
_WORDS = {"year": "a", "month": "mo", "week": "wk", "day": "d", "hour": "h", "minute": "min", "second": "s"}
_DONE = frozenset({"final", "amended", "corrected"})


def latest(item: Item, context: Context, failed: Callable[[str], None]) -> tuple[list[Any], str] | None:
    """(values, reference) of the newest final observation with one of the item's codes, or None. `failed` is told when
    the record could not be asked."""
    period = ext.value(item.extensions, "observationLinkPeriod")
    since = _since(period, context.now) if isinstance(period, dict) else None
    found = [
        (when, o)
        for o in _known(item, context, failed)
        if (when := _when(o)) is not None and (since is None or when >= since)
    ]
    if not found:
        return None
    observation = max(found, key=lambda pair: pair[0])[1]
    value = next((value for key, value in observation.items() if key.startswith("value")), None)
    return ([] if value is None else [value]), f"Observation/{observation.get('id') or ''}"


def query(item: Item, context: Context) -> str:
    """The search that finds them at the clinic's server."""
    codes = ",".join(f"{c.get('system') or ''}|{c.get('code')}" for c in item.raw.get("code") or () if c.get("code"))
    patient = context.launch.get("patient") or {}
    subject = f"&patient={patient['id']}" if patient.get("id") else ""
    return f"Observation?code={codes}{subject}&_sort=-date&_count=10"


def _known(item: Item, context: Context, failed: Callable[[str], None]) -> Iterator[Json]:
    """Observations with one of the codes: those passed in (launch or variables), or else fetched."""
    codes = [code for code in item.raw.get("code") or () if isinstance(code, dict)]
    if not codes:
        return
    held = [o for o in _in([*context.launch.values(), *context.variables.values()]) if _suits(o, codes, context)]
    if not held and context.fetch is not None:
        answer = context.fetch(query(item, context))
        if answer is None:
            failed("could not look for earlier observations")
        held = [o for o in _in([answer]) if _suits(o, codes, context)]
    yield from held


def _suits(observation: Json, codes: list[Json], context: Context) -> bool:
    """Final, of one of the codes, and not of another patient."""
    codings = (observation.get("code") or {}).get("coding") or ()
    if observation.get("status") not in _DONE or not any(same_coding(a, b) for a in codes for b in codings):
        return False
    subject = observation.get("subject")
    about = str((subject.get("reference") if isinstance(subject, dict) else "") or "").partition("/_history")[0]
    patient = (context.launch.get("patient") or {}).get("id")
    return not about or not patient or about.rpartition("/")[2] == patient


def _in(values: list[Any]) -> Iterator[Json]:
    for value in values:
        if isinstance(value, list):
            yield from _in(value)
        elif isinstance(value, dict) and value.get("resourceType") == "Observation":
            yield value
        elif isinstance(value, dict) and value.get("resourceType") == "Bundle":
            yield from _in([entry.get("resource") for entry in value.get("entry") or () if isinstance(entry, dict)])


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


def _when(observation: Json) -> datetime | None:
    """When it was true: effective, else issued; a date counts from its start, in UTC."""
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
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
