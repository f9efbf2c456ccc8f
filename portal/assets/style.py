"""The compiled style sheet made ours: what no page of ours uses is dropped, and left and right become start and end."""

from __future__ import annotations

import re
from collections.abc import Iterator

UNUSED = re.compile(
    r"""nhsuk-(
        card(--(?!warning|clickable)|-group|__(image|action|list|reverse)).*
      | table(-container|__panel|--sort).* | expander.* | scroll.* | panel.* | hero.* | code.* | tabs.*
      | file-upload__(drop|pseudo|status|instruction|button|icon).* | file-upload--drop.*
      | button--(login|reverse|link|icon|brand).* | link--(reverse|no-).* | back-link--reverse.* | breadcrumb--reverse.*
      | grid-.* | main-wrapper.* | width-container.* | section-break.* | lede-text.* | body-(l|s).*
      | list--(tick|cross|border|no-bullet).* | caption-(xxl|xl|l|m) | caption | heading-xxs
      | summary-list__card.* | (checkboxes|radios)--reverse.* | search.* | (input|input-wrapper)--large.*
      | select--large.* | icon--(?!arrow-(left|right)$).* | u-(?!visually-hidden|frontend).*
    )""",
    re.VERBOSE,
)
_UNUSED_STATE = re.compile(r"\[(data-sort|aria-sort|type=search)")
_CLASS = re.compile(r"\.([a-z][\w-]*)", re.IGNORECASE)
_NEGATED = re.compile(r":not\([^()]*\)")
_OLD_CONTRAST = re.compile(r",\s*\(-ms-high-contrast:\s*active\)")
_SIDES = {"left": "inline-start", "right": "inline-end"}
_PHYSICAL = re.compile(r"(?<=[{;])(margin|padding|border)-(left|right)(?=[-:])|(?<=[{;])(left|right)(?=:)")
_ALIGNED = re.compile(r"(?<=[{;]text-align:)(left|right)(?=[;}!])")


def trim(css: str) -> str:
    """`css` (as Sass compresses it) without the rules for UNUSED classes, its sides following the writing direction."""
    return _mirrored("".join(_kept(_OLD_CONTRAST.sub("", css.lstrip("\ufeff")))))


def _kept(css: str) -> Iterator[str]:
    for prelude, body in _rules(css):
        if body is None:
            yield prelude
        elif prelude.startswith(("@media", "@supports")):
            inner = "".join(_kept(body))
            if inner:
                yield f"{prelude}{{{inner}}}"
        elif prelude.startswith("@"):
            yield f"{prelude}{{{body}}}"
        else:
            used = [selector for selector in _selectors(prelude) if not _unused(selector)]
            if used:
                yield f"{','.join(used)}{{{body}}}"


def _unused(selector: str) -> bool:
    if _UNUSED_STATE.search(selector):
        return True
    return any(UNUSED.fullmatch(name) for name in _CLASS.findall(_NEGATED.sub("", selector)))


def _rules(css: str) -> Iterator[tuple[str, str | None]]:
    """Each rule as its prelude and its body; a statement without a body (`@charset …;`) has None."""
    start = 0
    while start < len(css):
        brace, semicolon = css.find("{", start), css.find(";", start)
        if brace < 0:
            return
        if 0 <= semicolon < brace:
            yield css[start : semicolon + 1], None
            start = semicolon + 1
            continue
        end = _closing(css, brace)
        yield css[start:brace].strip(), css[brace + 1 : end]
        start = end + 1


def _closing(css: str, brace: int) -> int:
    depth, quote = 0, ""
    for place in range(brace, len(css)):
        letter = css[place]
        if quote:
            quote = "" if letter == quote and css[place - 1] != "\\" else quote
        elif letter in "\"'":
            quote = letter
        elif letter == "{":
            depth += 1
        elif letter == "}":
            depth -= 1
            if not depth:
                return place
    raise ValueError("the style sheet ends inside a rule")


def _selectors(prelude: str) -> list[str]:
    """Split at the commas that stand outside brackets: `:is(a, b)` is one selector."""
    parts, depth = [""], 0
    for letter in prelude:
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _mirrored(css: str) -> str:
    def logical(found: re.Match[str]) -> str:
        return f"{found[1]}-{_SIDES[found[2]]}" if found[1] else f"inset-{_SIDES[found[3]]}"

    return _ALIGNED.sub(lambda found: {"left": "start", "right": "end"}[found[1]], _PHYSICAL.sub(logical, css))
