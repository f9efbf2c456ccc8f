"""The language that forms are asked and read in."""

from flask_babel import get_locale

REGIONS = {"es": "es-US"}
"""Spanish as it is written where the clinics are: 70.5 kg with a point. With a comma 1,500 would be one and a half."""


def language() -> str:
    chosen = str(get_locale() or "en")
    return REGIONS.get(chosen, chosen)
