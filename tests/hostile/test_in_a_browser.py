"""Text stays text in a real browser (F10): every string of every resource, form and answer, on every page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain

import pytest
from flask import Flask
from markupsafe import escape
from playwright.sync_api import Browser

from portal import db
from tests.browsing import CHROMIUM
from tests.hostile.crawling import pages, show, typed
from tests.hostile.everywhere import hostile_world
from tests.hostile.payloads import PAYLOADS
from tests.house.world import World

WHOLE = bool(os.environ.get("PREVISIT_HOSTILE_WHOLE"))
"""Every visitor, both languages, every payload first once: `make hostile`."""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: install it to show the pages")


@pytest.fixture(scope="module", params=range(0, len(PAYLOADS), 10) if WHOLE else [0])
def everywhere(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _quick_hashes: None
) -> Iterator[World]:
    yield hostile_world(tmp_path_factory.mktemp("everywhere"), request.param)
    db.dispose()


@pytest.mark.parametrize("bare", [True, False] if WHOLE else [True], ids=lambda bare: "bare" if bare else "as served")
def test_nothing_runs_nothing_is_asked_for_and_no_page_breaks(
    browser: Browser, everywhere: World, bare: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    languages = ("en", "es") if WHOLE else ("en",)
    read = pages(everywhere, languages, everybody=WHOLE)
    written = typed(everywhere, " ".join(PAYLOADS)) if WHOLE else iter(())
    found = show(browser, everywhere.app, chain(read, written), bare, every=WHOLE)
    with capsys.disabled():
        print(f"\nF10: {len(PAYLOADS)} payloads on {found}")
    assert found.pages >= 40 and found.hostile >= 20
    assert (found.ran, found.asked, found.broken) == ([], [], [])


def test_a_page_that_does_not_escape_is_caught(browser: Browser) -> None:
    """So that the test above cannot pass because nothing would ever be noticed."""
    app = Flask("careless")
    app.add_url_rule("/<int:n>", "careless", lambda n: f"<main><p title='{PAYLOADS[n]}'>{PAYLOADS[n]}</main>")
    answers = ((f"payload {n}.", app.test_client().get(f"/{n}")) for n in range(len(PAYLOADS)))
    found = show(browser, app, answers, bare=True)
    noticed = {each.partition(".")[0] for each in (*found.ran, *found.asked, *found.broken)}
    assert len(noticed) >= 30 and found.ran and found.asked


def test_a_careless_page_among_careful_ones_is_shown(browser: Browser) -> None:
    """Of pages that are alike one is shown; one that differs by what a payload made of it is not alike."""
    app = Flask("careless")
    app.add_url_rule("/<int:n>", "page", lambda n: f"<main><p>{PAYLOADS[0] if n == 7 else escape(PAYLOADS[0])}</main>")
    answers = ((f"page {n}", app.test_client().get(f"/{n}")) for n in range(10))
    found = show(browser, app, answers, bare=True, every=False)
    assert (found.pages, found.shown) == (10, 2) and set(found.ran) == {"page 7"}
