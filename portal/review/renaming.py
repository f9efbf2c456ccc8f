"""A delivery made a second time for another record: what the first one is found by must not be found again. Pure.

What went to a wrong record stays there, as entered in error, until the clinic has corrected it. The same identifiers in the right
record would lead every look for them to the wrong one.
"""

from uuid import UUID, uuid5

from portal.fhir import exact
from portal.fhir.resources import Json, identifiers

NAMESPACE = UUID("1f0c7c53-4f5e-5c0a-9b1d-2a6c2e6c9d42")


def renamed(bundle: Json, mark: str) -> Json:
    """The same Bundle, every created entry under another identifier, always the same for the same `mark`."""
    text = exact.dumps(bundle)
    for value in _values(bundle):
        text = text.replace(value, name(value, mark))
    made: Json = exact.loads(text)
    return made


def name(value: str, mark: str) -> str:
    """What a thing of this name is called the next time."""
    return str(uuid5(NAMESPACE, f"{value}|{mark}"))


def _values(bundle: Json) -> set[str]:
    """What our own creations are found by, and the addresses that they have within the Bundle."""
    made = [each for each in bundle["entry"] if each["request"]["method"] == "POST"]
    named = {
        value for each in made for system, value in identifiers(each["resource"]) if system.startswith("urn:previsit:")
    }
    return named | {str(each["fullUrl"]).removeprefix("urn:uuid:") for each in made}
