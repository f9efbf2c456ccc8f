"""A gallery for us: every part and state of the design system, with made-up people. Run this file; port 8401."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Flask, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import Babel
from flask_wtf import CSRFProtect
from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined

from portal.components import Components

ROOT = Path(__file__).resolve().parents[2]
PAGES = Path(__file__).parent / "pages"
NOW = datetime(2026, 11, 21, 10, 42, tzinfo=UTC)
PATIENT = SimpleNamespace(name="Marta Okafor", role="patient", behalf=None, subjects=())
CLERK = SimpleNamespace(name="Dana Whitfield", role="front-desk", behalf=None, subjects=())


def trend_points() -> list[dict[str, Any]]:
    taken = ["6.1", "6.4", "6.3", "6.9", "7.4", "7.10", "6.8", "6.6"]
    return [
        {
            "when": date(2019 + year, 5, 3),
            "value": float(value),
            "text": value,
            "flag": "H" if float(value) > 6.5 else "",
        }
        for year, value in enumerate(taken)
    ]


def create_gallery() -> Flask:
    app = Flask("gallery", static_folder=str(ROOT / "static"), static_url_path="/static")
    app.config["SECRET_KEY"] = "only a gallery"
    app.jinja_loader = ChoiceLoader([FileSystemLoader(PAGES), FileSystemLoader(ROOT / "templates")])
    app.config["TEMPLATES_AUTO_RELOAD"] = True
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.globals.update(
        ui=Components(), asset=asset, now=NOW, timedelta=timedelta, trend_points=trend_points, date=date,
        settings=SimpleNamespace(max_request_bytes=12_582_912, languages=("en", "es"), demo=True), subject_mark=str, open_emergency=str,
    )  # fmt: skip
    app.jinja_env.filters.update(
        moment=lambda value: value.strftime("%-d %B %Y, %H:%M"), day=lambda value: value.strftime("%-d %B %Y")
    )
    Babel(app)
    CSRFProtect(app)
    app.add_url_rule("/", view_func=index)
    app.add_url_rule("/<name>", view_func=page, methods=["GET", "POST"])
    app.add_url_rule("/problem/<int:status>", view_func=problem)
    app.after_request(policy)
    return app


def asset(path: str) -> str:
    return f"/static/{path}?v={hashlib.sha256((ROOT / 'static' / path).read_bytes()).hexdigest()[:10]}"


def policy(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"
    )
    return response


def index() -> str:
    links = "".join(f'<li><a href="/{file.stem}">{file.stem}</a></li>' for file in sorted(PAGES.glob("*.html")))
    return f'<!doctype html><html lang="en"><title>Gallery</title><main><h1>Gallery</h1><ul>{links}</ul></main></html>'


def page(name: str) -> ResponseReturnValue:
    file = f"{name}.html"
    if not (PAGES / file).exists():
        return problem(404)
    staff = name.startswith("staff")
    answers = request.form.to_dict()
    return render_template(
        file,
        viewer=None if name.startswith("sign") else CLERK if staff else PATIENT,
        clinic_name="Riverside Family Clinic",
        clinic_phone="+1 555 010 0199",
        language=request.args.get("language", "en"),
        seconds_left=int(request.args.get("left", 1800)),
        answers=answers,
        version=int(answers.get("version", 2)) + 1,
        smokes=answers.get("q3") == "yes",
        request_id="",
    )


def problem(status: int) -> ResponseReturnValue:
    return render_template(
        "problem.html", status=status, title="There is nothing here", sentence="The page does not exist.",
        viewer=None, clinic_name="", clinic_phone="", language="en", seconds_left=None, request_id="9f2c4e1a77b0d3c5",
        again="", sign_in=False,
    ), status  # fmt: skip


if __name__ == "__main__":
    create_gallery().run(port=8401, debug=False)
