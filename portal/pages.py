"""What every page shares: Jinja, words for dates, security headers, the pulse."""

import gzip
import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, MutableMapping
from datetime import date, datetime
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_babel import Babel, format_date, format_datetime, get_locale, get_translations, gettext, refresh
from jinja2 import StrictUndefined
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse
from whitenoise import WhiteNoise

from portal import dates, db, guard, problems
from portal.actors import Role
from portal.clock import now
from portal.components import Components
from portal.errors import Issue, Unreadable
from portal.settings import ROOT, Settings

PACKAGE = Path(__file__).resolve().parent
TEMPLATES = ROOT / "templates" if (ROOT / "templates").is_dir() else PACKAGE / "_templates"
STATIC = ROOT / "static" if (ROOT / "static").is_dir() else PACKAGE / "_static"
YEAR = 365 * 24 * 3600
SMALL = 1_000
"""A page of fewer bytes gains nothing by being compressed."""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}

FORMS = frozenset({"", "application/x-www-form-urlencoded", "multipart/form-data"})

pulse = Blueprint("pulse", __name__)


@pulse.get("/pulse")
def beat() -> ResponseReturnValue:
    return Response("ok\n", mimetype="text/plain")


def install(app: Flask, settings: Settings) -> None:
    """Jinja, languages, headers, error pages and static files for `app`."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension("jinja2.ext.do")
    app.jinja_env.globals.update(ui=Components(words), asset=asset, settings=settings, now=now)
    app.jinja_env.globals["subject_mark"] = guard.subject_mark
    app.jinja_env.filters.update(FILTERS)
    Babel(
        app,
        locale_selector=lambda: _language(settings),
        timezone_selector=lambda: str(_zone()),
        default_translation_directories=str(PACKAGE / "translations"),
    )
    app.jinja_env.globals["_"] = _in_template
    app.context_processor(_shared)
    app.before_request(_name_request)
    app.before_request(_forms_only)
    app.after_request(_packed)
    app.after_request(lambda response: _headers(response, settings))
    app.teardown_appcontext(lambda _error: db.close())
    problems.install(app)
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app, root=str(STATIC), prefix="static/", max_age=YEAR, add_headers_function=_file_headers
    )


def words(message: str, **params: object) -> str:
    """`message` in the reader's language, looked up once for each language: a page says some words a hundred times."""
    found = _translated(str(get_locale() or "en"), message)
    return found % params if params else found


@lru_cache(maxsize=8192)
def _translated(language: str, message: str) -> str:
    """`language` is the reader's own: it only tells the entries of this cache apart. No words stay no words (gettext's "" is a header)."""
    return str(get_translations().ugettext(message)) if message else ""


def _in_template(message: str, /, **params: object) -> Markup:
    """`_()` of the templates: our words are markup (a per cent sign in them is written twice), what is put in is escaped."""
    return Markup(_translated(str(get_locale() or "en"), message)) % params  # noqa: S704


@lru_cache
def asset(path: str) -> str:
    """The address of a file under static/, with its fingerprint, so that it may be kept for a year."""
    digest = hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:10]
    return f"/static/{path}?v={digest}"


def moment(value: datetime) -> str:
    """A date and time as people say it, in the clinic's zone: 3 May 2026, 10:42."""
    return f"{day(value)}, {clock_time(value)}"


def then(value: datetime) -> str:
    """A moment within a sentence: today at 10:42, on 3 May 2026 at 10:42."""
    if value.astimezone(_zone()).date() == now().astimezone(_zone()).date():
        return words("today at %(time)s", time=clock_time(value))
    return words("on %(day)s at %(time)s", day=day(value), time=clock_time(value))


def appointment(value: datetime) -> str:
    """When to come, with the day of the week: Monday 4 May 2026, 10:42."""
    return f"{format_datetime(value, 'EEEE')} {moment(value)}"


def telephone(number: str) -> Markup:
    """A number to call, in one line: a phone dials it when it is touched."""
    return Markup('<a class="pv-phone" href="tel:{}">{}</a>').format(re.sub(r"[^+\d]", "", number), number)


def _unbroken(text: str) -> Markup:
    return Markup('<span class="pv-when">{}</span>').format(text)


def telephones(text: str) -> str:
    """Numbers of North America in a text, as people there read them: +1 217 555 0101."""
    return re.sub(r"\+1(\d{3})(\d{3})(\d{4})\b", r"+1 \1 \2 \3", text)


DAYS = {"es": "d 'de' MMMM 'de' yyyy"}
MONTHS = {"es": "MMMM 'de' yyyy"}


def day(value: date | datetime) -> str:
    if isinstance(value, datetime):
        value = value.astimezone(_zone()).date()
    return str(format_date(value, DAYS.get(str(get_locale()), "d MMMM yyyy")))


def month(value: date) -> str:
    """A month that no day is known of: May 2026."""
    return str(format_date(value, MONTHS.get(str(get_locale()), "MMMM yyyy")))


def clock_time(value: datetime) -> str:
    return str(format_datetime(value, "HH:mm"))


def groupby_day(entries: Iterable[Any], attribute: str = "at") -> list[tuple[str, list[Any]]]:
    """Entries that are in order of time, by the day each is on, in words."""
    return [(date, list(lines)) for date, lines in groupby(entries, key=lambda entry: day(getattr(entry, attribute)))]


def issue_for(issues: Iterable[Issue], where: str) -> str | None:
    """The first message about one field, in the reader's language."""
    return next((gettext(issue.message, **issue.params) for issue in issues if issue.where == where), None)


def summary_line(text: str, field: str) -> dict[str, str]:
    """A line of an error summary that leads to its field."""
    return {"text": text, "href": f"#{field}"}


ROLE_NAMES = {
    Role.PATIENT: "patient",
    Role.PROXY: "acting for the patient",
    Role.FRONT_DESK: "front desk",
    Role.CLINICIAN: "clinician",
    Role.PRIVACY_OFFICER: "privacy officer",
    Role.ADMINISTRATOR: "administrator",
    Role.AUDITOR: "auditor",
    Role.SYSTEM: "automatic",
    Role.ANYONE: "visitor",
}

FILTERS: dict[str, Callable[..., Any]] = {
    "moment": moment,
    "then": then,
    "appointment": appointment,
    "telephone": telephone,
    "telephones": telephones,
    "day": day,
    "clock": clock_time,
    "born": lambda words: _unbroken(dates.born(words)),
    "spoken": dates.spoken,
    "shortly": lambda value: _unbroken(dates.shortly(value.astimezone(_zone()), now().astimezone(_zone()))),
    "groupby_day": groupby_day,
    "issue_for": issue_for,
    "summary_line": summary_line,
    "role_name": lambda role: ROLE_NAMES[Role(role)],
}


def _zone() -> ZoneInfo:
    live = guard.viewer()
    return ZoneInfo(live.clinic.timezone if live else g.get("zone", "UTC"))


def _language(settings: Settings) -> str:
    """Staff read English, the only language their pages have; a patient what they chose here, else their account's language."""
    live = guard.viewer()
    if live and live.actor.is_staff:
        return "en"
    chosen = g.get("language") or request.cookies.get("language", "")
    if chosen in settings.languages:
        return chosen
    if live and live.actor.language in settings.languages:
        return live.actor.language
    return request.accept_languages.best_match(settings.languages) or settings.languages[0]


OURS = ("next", "from")
"""What stays in an address when the language changes; what others put there, a clinic's system for example, is told to nobody."""


def _returns_to() -> str:
    """The page that is shown, for who changes its language; "/" where it cannot be opened again."""
    if not problems.shown_by_get():
        return "/"
    ours = urlencode({name: request.args[name] for name in OURS if name in request.args}, safe="/")
    return f"{request.path}?{ours}" if ours else request.path


def _shared() -> dict[str, Any]:
    live = guard.viewer()
    left = guard.time_left()
    return {
        "viewer": live.actor if live else None,
        "clinic_name": live.clinic.name if live else g.get("clinic_name", ""),
        "clinic_phone": live.clinic.phone if live else g.get("clinic_phone", ""),
        "language": str(get_locale() or "en"),
        "seconds_left": int(left.total_seconds()) if left else None,
        "request_id": g.get("request_id", ""),
        "returns_to": _returns_to(),
    }


def speak(language: str) -> None:
    """From here on this request is answered in another language of ours."""
    g.language = language
    refresh()


def spoken() -> str:
    """The language that was asked for with this request; "" when none was."""
    return str(g.get("language", ""))


def remember_language(answer: BaseResponse, language: str) -> BaseResponse:
    """The language of the pages from now on, in this browser."""
    secure = current_app.config["SESSION_COOKIE_SECURE"]
    answer.set_cookie("language", language, max_age=31_536_000, secure=secure, httponly=True, samesite="Lax")
    return answer


def _forms_only() -> None:
    """Every post of ours is a form, without NUL (which could be stored and not read again): anything else is refused (bar 55, 62)."""
    if request.method in guard.SAFE:
        return
    if request.content_length and request.mimetype not in FORMS:
        raise Unreadable
    if any("\x00" in name or "\x00" in "".join(texts) for name, texts in request.form.lists()):
        raise Unreadable


def _name_request() -> None:
    g.request_id = secrets.token_hex(8)


def _headers(response: Response, settings: Settings) -> Response:
    for name, value in HEADERS.items():
        if name not in response.headers:
            response.headers[name] = value
    response.headers["X-Request-Id"] = g.get("request_id", "")
    if settings.secure:
        response.headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    return response


def _packed(response: Response) -> Response:
    """A page goes out compressed when one of our own pages, or the person by hand, asked for it. One that another site made
    the browser ask for does not: from its size that site could learn, guess by guess, what stands in it (BREACH)."""
    ours = request.headers.get("Sec-Fetch-Site") in {"same-origin", "none"}
    if ours and response.mimetype == "text/html" and request.accept_encodings["gzip"] and not response.is_streamed:
        page = response.get_data()
        if len(page) > SMALL and "Content-Encoding" not in response.headers:
            response.set_data(gzip.compress(page, compresslevel=4, mtime=0))
            response.headers["Content-Encoding"] = "gzip"
    if response.mimetype == "text/html":
        response.vary.update(("Accept-Encoding", "Sec-Fetch-Site"))
    return response


def _file_headers(headers: MutableMapping[str, str], _path: str, _url: str) -> None:
    """A file of ours opened by itself is what it says and runs nothing."""
    for name in (
        "Content-Security-Policy",
        "X-Content-Type-Options",
        "Referrer-Policy",
        "Cross-Origin-Resource-Policy",
    ):
        headers[name] = HEADERS[name]
