"""What a patient has filled in, opened and evaluated, between two of their requests: few, for minutes, in this process only.

A draft rests sealed in the database and nowhere else; this spares opening, reading and deciding all of it again for each page, and
filling a form in from the record again as long as nothing is saved in it.
Whoever goes on with a filling takes it out, so that nobody else has it meanwhile, and puts it back when its answers are
stored. One that another process, device or tab has overtaken is recognised by the draft's version and thrown away; one that
is not asked for in ten minutes is dropped by itself. The keys that open every draft are in the same memory, so what stands
here for a while opens nothing to anybody who could not open it anyway.
"""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock, Timer
from time import monotonic

from portal.questionnaire import Context, Filling, Form

LASTS = 600.0
"""Seconds."""
MOST_ITEMS = 40_000
"""Items of all fillings held together: twenty of the largest, hundreds of the usual."""
MOST_OF_FORMS = 10_000
"""Items of the different forms behind them: what is held keeps its form in memory, also one the library has let go of."""


@dataclass(frozen=True)
class _Held:
    version: object
    filling: Filling
    until: float


_held: OrderedDict[str, _Held] = OrderedDict()
_lock = Lock()
_timer: list[Timer] = []


def take(draft_id: str, version: object, form: Form, context: Context) -> Filling | None:
    """The filling of this version of a draft, going on with `context`; None where it is not held in this form and language.
    Of a form that is only filled in from the record, `version` is the state of that."""
    with _lock:
        found = _held.pop(draft_id, None)
    if found is None or found.version != version or found.until < monotonic():
        return None
    if found.filling.form is not form or found.filling.context.language != context.language:
        return None
    found.filling.go_on(context)
    return found.filling


def put(draft_id: str, version: object, filling: Filling) -> None:
    """Hold what is stored as this version of the draft. The caller lets go of it."""
    with _lock:
        _held[draft_id] = _Held(version, filling, monotonic() + LASTS)
        _held.move_to_end(draft_id)
        while _too_many():
            _held.popitem(last=False)
        _wake()


def _too_many() -> bool:
    forms = [each.filling.form for each in _held.values()]
    different = {id(form): len(form.all_items) for form in forms}
    items = sum(different[id(form)] for form in forms)
    return len(forms) > 1 and (items > MOST_ITEMS or sum(different.values()) > MOST_OF_FORMS)


def drop_all() -> None:
    with _lock:
        _held.clear()


def _wake() -> None:
    """Somebody looks again when the last that was put in is over."""
    if _timer or not _held:
        return
    timer = Timer(LASTS, _sweep)
    timer.daemon = True
    _timer.append(timer)
    timer.start()


def _sweep() -> None:
    with _lock:
        _timer.clear()
        for draft_id in [each for each, held in _held.items() if held.until <= monotonic()]:
            del _held[draft_id]
        _wake()
