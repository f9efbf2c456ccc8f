"""What the engine makes of a form: items, pages, features used and not honoured, or why it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .definition import Form, load
from .extensions import Json
from .issues import FormRefused

Report = dict[str, Any]
"""JSON: file, status ("ok" or "refused"), url, version, title, items, questions, pages, languages, features,
not_honoured, defects, reasons."""


def report(raw: object, *, file: str = "", registry: Mapping[str, Json] | None = None) -> Report:
    """The check of one resource, as for `portal questionnaire check`. Never raises for what the resource holds."""
    head: Report = {"file": file}
    try:
        form = load(raw, registry=registry)
    except FormRefused as refused:
        reasons = [{"linkId": r.link_id, "code": r.code, "reason": r.reason} for r in refused.issues]
        return {**head, "status": "refused", "reasons": reasons}
    return {**head, "status": "ok", **of_form(form)}


def of_form(form: Form) -> Report:
    return {
        "url": form.url,
        "version": form.version,
        "title": form.title(),
        "items": len(form.all_items),
        "questions": sum(1 for _ in form.questions()),
        "pages": len(form.layout),
        "languages": form.languages,
        "features": dict(form.features.used),
        "not_honoured": [
            {"linkId": missed.link_id, "feature": missed.feature, "reason": missed.reason}
            for missed in form.features.not_honoured
        ],
        "defects": [{"linkId": d.link_id, "code": d.code, "reason": d.reason} for d in form.features.defects],
    }
