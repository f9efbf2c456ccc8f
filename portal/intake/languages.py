"""The language that forms are asked and read in, and a page posted by the button of another one."""

from flask import current_app, request
from flask_babel import get_locale
from werkzeug.wrappers import Response

from portal import pages

REGIONS = {"es": "es-US"}
"""Spanish as it is written where the clinics are: 70.5 kg with a point. With a comma 1,500 would be one and a half."""


def language() -> str:
    chosen = str(get_locale() or "en")
    return REGIONS.get(chosen, chosen)


def hear() -> None:
    """What was typed when another language was chosen is saved like anything else; from here on the answer is in that language."""
    chosen = request.form.get("language", "")
    if chosen in current_app.config["SETTINGS"].languages:
        pages.speak(chosen)


def remember(answer: Response) -> Response:
    chosen = pages.spoken()
    return pages.remember_language(answer, chosen) if chosen else answer
