"""Ignored filters: whether a searchset's self link says that the server used what we asked (R4 search: "self link"). Pure."""

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit

from portal.ehr.errors import FilterIgnored

FREE = frozenset(
    {"_count", "_include", "_revinclude", "_sort", "_format", "_summary", "_elements", "_total", "_pretty"}
)
"""Parameters that shape the answer without choosing what is in it."""


def check(self_link: str | None, asked: Iterable[tuple[str, str]], base: str) -> bool:
    """True when the link confirms every filter, False when there is no link to go by; FilterIgnored when one is missing."""
    if self_link is None:
        return False
    used = parse_qsl(urlsplit(self_link).query, keep_blank_values=True, max_num_fields=200)
    for name, value in asked:
        if name not in FREE and not any(_same(name, value, *each, base) for each in used):
            raise FilterIgnored
    return True


def _same(name: str, value: str, used_name: str, used_value: str, base: str) -> bool:
    """A server may add a type modifier to a reference, or write it short, long or absolute."""
    if used_name.partition(":")[0] != name.partition(":")[0]:
        return False
    return used_value == value or _reference(used_value, base) == _reference(value, base)


def _reference(value: str, base: str) -> str:
    return value.removeprefix(base.rstrip("/") + "/").removeprefix("Patient/")
