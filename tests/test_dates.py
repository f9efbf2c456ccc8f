"""Dates and numbers as staff read them: short, by name around today, and nowhere as a machine writes them."""

import re
from datetime import date, datetime

import pytest

from portal import dates
from portal.pages import FILTERS, TEMPLATES

NOW = datetime(2026, 11, 22, 16, 53)
SHOWN = re.compile(r"\w\.(?:born|birth_date|birthDate|phone)\b[^,}]*")
IN_WORDS = re.compile(r"\| ?(born|day|telephones?)\b|\.data\b|%$")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("1979-08-30", "30 Aug 1979"),
        (date(2016, 2, 29), "29 Feb 2016"),
        ("1979-08", "Aug 1979"),
        ("1979", "1979"),
        ("2023-02-29", "2023-02-29"),
        ("<b>1979", "&lt;b&gt;1979"),
        ("", "not known"),
        (None, "not known"),
    ],
)
def test_a_birth_date_is_read_in_one_line(words: str | None, said: str) -> None:
    assert FILTERS["born"](words) == f'<span class="pv-when">{said}</span>'


@pytest.mark.parametrize(
    ("words", "said"), [("2026-11-22", "22 Nov 2026"), ("0900", "0900"), ("120", "120"), ("100-200", "100-200")]
)
def test_what_is_no_date_stays_as_it_is(words: str, said: str) -> None:
    assert dates.spoken(words) == said


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (datetime(2026, 11, 22, 9, 31), "today 09:31"),
        (datetime(2026, 11, 23, 0, 0), "tomorrow 00:00"),
        (datetime(2026, 11, 21, 23, 59), "yesterday 23:59"),
        (datetime(2026, 11, 24, 10, 0), "24 Nov 10:00"),
        (datetime(2025, 11, 22, 10, 0), "22 Nov 2025 10:00"),
    ],
)  # fmt: skip
def test_a_moment_is_told_beside_now(at: datetime, said: str) -> None:
    assert dates.shortly(at, NOW) == said


def test_no_page_of_the_staff_shows_a_birth_date_or_a_number_as_a_machine_writes_it() -> None:
    staff = [page for page in TEMPLATES.rglob("*.html") if '"staff.html"' in page.read_text()]
    bare = [
        f"{page.name}: {found}"
        for page in staff
        for found in SHOWN.findall(page.read_text())
        if not IN_WORDS.search(found) and "clinic_phone" not in found
    ]
    assert len(staff) > 30
    assert not bare
