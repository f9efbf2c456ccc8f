"""The one place where a form's markdown or xhtml becomes HTML: cleaned to a short list of harmless tags (bar 47)."""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape

import nh3
from markdown_it import MarkdownIt

from . import extensions as ext
from .extensions import Json
from .words import localised, translation

_TAGS_WORDS = """
p br hr b strong i em u s sub sup small span div ul ol li dl dt dd h3 h4 h5 h6 blockquote pre code table thead
tbody tfoot tr th td caption abbr
"""
TAGS = frozenset(_TAGS_WORDS.split())
ATTRIBUTES: dict[str, set[str]] = {
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "abbr": {"title"},
}
MAX_LENGTH = 50_000
_CLEANER = nh3.Cleaner(
    tags=set(TAGS),
    attributes=ATTRIBUTES,
    url_schemes=set(),
    link_rel=None,
    clean_content_tags={"script", "style", "iframe", "object", "svg", "math", "template", "noscript"},
)
_WITHIN_WORDS = re.compile(r"</?(?:strong|b|em|i|u|s|sub|sup|small|span|code|abbr)\b[^>]*>")
_TAG = re.compile(r"<[^>]*>")
_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")


class Html(str):
    """Markup that has been through the cleaner: a template prints it as it is, plain str is escaped."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


Text = str | Html


def unmarked(text: Text) -> str:
    """The words without their markup, for where none can stand: lists, summaries, names of things."""
    if not hasattr(text, "__html__"):
        return text
    return " ".join(unescape(_TAG.sub(" ", _WITHIN_WORDS.sub("", text))).split())


@lru_cache(maxsize=4096)
def clean(markup: str) -> Html:
    """The markup without any tag, attribute or address that is not on the list."""
    return Html(_CLEANER.clean(markup[:MAX_LENGTH]).strip())


@lru_cache(maxsize=4096)
def markdown(text: str) -> Html:
    """Markdown as clean HTML; links keep their words only."""
    return clean(_MARKDOWN.render(text[:MAX_LENGTH]))


def rich(element: Json, field: str, language: str) -> Text:
    """`element[field]` in the language: as Html when the form gives it as xhtml or markdown, else as a plain str."""
    twin = element.get(f"_{field}")
    extensions = ext.of(twin)
    plain = translation(twin, language)
    for name, make in (("rendering-xhtml", clean), ("rendering-markdown", markdown)):
        for extension in extensions.get(name, ()):
            written = ext.value_of(extension)
            spoken = next((translation(v, language) for k, v in extension.items() if k.startswith("_value")), None)
            if isinstance(written, str) and written.strip() and (plain is None or spoken is not None):
                return make(spoken or written) or localised(element, field, language)
    return _styled(localised(element, field, language), ext.value(extensions, "rendering-style"))


_STYLES = {"font-weight:bold": "strong", "font-style:italic": "em", "text-decoration:underline": "u"}


def _styled(text: str, css: object) -> Text:
    """rendering-style as far as it means something without colours: bold, italic, underlined."""
    if not isinstance(css, str) or not text:
        return text
    said = {"".join(part.split()).lower() for part in css.split(";")}
    made = nh3.clean_text(text)
    tags = [tag for style, tag in _STYLES.items() if style in said]
    for tag in tags:
        made = f"<{tag}>{made}</{tag}>"
    return clean(made) if tags else text
