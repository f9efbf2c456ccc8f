"""One form on a phone, with the patient signed in: for journeys that are about a page of questions and nothing around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page

from tests.intake.forms_app import FormsApp
from tests.intake.pictures import SIZES, signed_in


@contextmanager
def opened(browser: Browser, app: FormsApp, url: str, slug: str) -> Iterator[Page]:
    """The first page of the form in a browser of its own."""
    with browser.new_context(base_url=url, viewport=SIZES["phone"]) as context:  # type: ignore[arg-type]
        signed_in(context, url, app)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.goto(app.path(slug))
        yield page
