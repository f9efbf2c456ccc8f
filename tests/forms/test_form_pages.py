"""The pages of every bundled form in both languages, over HTTP, and in a browser that looks for what shuts people out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser

from tests.browsing import CHROMIUM
from tests.forms.filling import RAW, SLUGS, begun, form
from tests.intake.forms_app import FormsApp, Page, forms_app

STATIC = Path(__file__).resolve().parents[2] / "static/vendor/previsit.css"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FormsApp]:
    with forms_app(tmp_path_factory.mktemp("forms"), {slug: form(slug) for slug in SLUGS}) as made:
        yield made


def pages(clinic: FormsApp, slug: str, language: str) -> list[Page]:
    clinic.client.set_cookie("language", language)
    keys = [page.key for page in begun(slug, None).pages]
    return [clinic.open(slug, key) for key in keys]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("slug", SLUGS)
def test_every_page_is_drawn_in_the_language_and_each_input_has_a_name(
    clinic: FormsApp, slug: str, language: str
) -> None:
    for page in pages(clinic, slug, language):
        assert page.status == 200
        assert f'lang="{language}"' in page.html
        inputs = [each for each in page.controls if each.kind not in ("hidden", "submit", "button") and each.name]
        assert [each.name for each in inputs if not each.labelled] == []
        assert len(set(page.ids)) == len(page.ids)
    english = [str(item["text"]) for item in _questions(RAW[slug]["item"])]
    assert language == "en" or not any(text in page.text for page in pages(clinic, slug, "es") for text in english)


def _questions(items: list[dict[str, object]]) -> Iterator[dict[str, object]]:
    for item in items:
        if item.get("text") and len(str(item["text"])) > 20:
            yield item
        yield from _questions(item.get("item") or [])  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None or not STATIC.exists(), reason="no Chromium, or no assets built")
def test_no_page_of_a_bundled_form_shuts_anybody_out(clinic: FormsApp, browser: Browser) -> None:
    """axe on a phone and a desktop; nothing hangs over the edge of a phone."""
    style = STATIC.read_text()
    sheet = browser.new_page(viewport={"width": 390, "height": 844})
    for slug in SLUGS:
        for shown in pages(clinic, slug, "en"):
            sheet.set_content(
                shown.html.replace("</head>", f"<style>{style}</style></head>"), wait_until="domcontentloaded"
            )
            found = Axe().run(sheet).response["violations"]
            serious = [each["id"] for each in found if each["impact"] in {"serious", "critical"}]
            assert (shown.path, serious) == (shown.path, [])
            for width in (1280, 390):
                sheet.set_viewport_size({"width": width, "height": 844})
                over = sheet.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert (shown.path, width, over <= 0) == (shown.path, width, True)
    sheet.close()
