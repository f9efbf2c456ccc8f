"""What a page says and offers: buttons, error summaries, notices, cards, links."""

from __future__ import annotations

from markupsafe import Markup, escape

from portal.components.html import (
    PART,
    Params,
    Say,
    attributes,
    classes,
    element,
    filled,
    finished,
    known,
    link,
    maybe,
    names,
    part,
    trusted,
    words,
)

BUTTON = names(
    "text html href name value type id disabled variant small classes attributes preventDoubleClick ariaLabel"
)
VARIANTS = {"secondary", "secondary-solid", "warning", "reverse", "login"}
ERROR_SUMMARY = names("titleText heading descriptionText errorList classes attributes id disableAutoFocus")
TAG = names("text html colour classes attributes")
BODY = names("text html classes attributes id")


def button(p: Params, say: Say) -> Markup:
    """A button, or a link that looks like one when there is `href`; `variant`: secondary, warning, reverse."""
    known(p, BUTTON)
    variant = p.get("variant")
    css = classes(
        "nhsuk-button",
        f"nhsuk-button--{variant}" if variant in VARIANTS else "",
        "nhsuk-button--small" if p.get("small") else "",
        p.get("classes"),
    )
    named = maybe("aria-label", p.get("ariaLabel")) + attributes(p.get("attributes"))
    ident = maybe("id", p.get("id"))
    if p.get("href") and not p.get("type"):
        target = escape(link(p["href"]))
        return finished(
            f'<a class="{css}"{ident} data-module="nhsuk-button" href="{target}" role="button" draggable="false"'
            f"{named}>{words(p)}</a>"
        )
    twice = maybe("data-prevent-double-click", "true" if p.get("preventDoubleClick") else None)
    off = ' disabled aria-disabled="true"' if p.get("disabled") else ""
    return finished(
        f'<button class="{css}"{ident}{maybe("name", p.get("name"))} data-module="nhsuk-button"{twice}'
        f' type="{escape(p.get("type") or "submit")}"{maybe("value", p.get("value"))}{off}{named}>{words(p)}</button>'
    )


def error_summary(p: Params, say: Say) -> Markup:
    """What is wrong on the page, each with a link to its control: `errorList` of `text` and `href`."""
    known(p, ERROR_SUMMARY)
    title = words(part(p.get("heading") or p.get("titleText") or say("There is a problem")))
    described = f"<p>{escape(p['descriptionText'])}</p>" if p.get("descriptionText") else ""
    items = "".join(f"<li>{_error_link(item)}</li>" for item in p.get("errorList") or () if item)
    listed = f'<ul class="nhsuk-list nhsuk-error-summary__list">{items}</ul>' if items else ""
    still = maybe("data-disable-auto-focus", "true" if p.get("disableAutoFocus") else None)
    return finished(
        f'<div class="{classes("nhsuk-error-summary", p.get("classes"))}"{maybe("id", p.get("id"))}'
        f' data-module="nhsuk-error-summary"{still}{attributes(p.get("attributes"))}><div role="alert">'
        f'<h2 class="nhsuk-error-summary__heading">{title}</h2>'
        f'<div class="nhsuk-error-summary__body">{described}{listed}</div></div></div>'
    )


def _error_link(item: Params) -> str:
    if not item.get("href"):
        return str(words(item))
    return f'<a href="{escape(link(item["href"]))}"{attributes(item.get("attributes"))}>{words(item)}</a>'


def tag(p: Params, say: Say) -> Markup:
    """A short word for a state; `colour`: white, grey, green, aqua-green, blue, purple, pink, red, orange, yellow."""
    return finished(draw_tag(known(p, TAG)))


def draw_tag(p: Params) -> str:
    css = classes("nhsuk-tag", f"nhsuk-tag--{p['colour']}" if p.get("colour") else "", p.get("classes"))
    return element("strong", css, str(words(p)), p)


def inset_text(p: Params, say: Say) -> Markup:
    """A remark set apart from the text around it."""
    known(p, BODY)
    spoken = f'<span class="nhsuk-u-visually-hidden">{escape(say("Information"))}: </span>'
    return finished(element("div", classes("nhsuk-inset-text", p.get("classes")), f"{spoken}{_body(p)}", p))


def _body(p: Params, css: str = "") -> str:
    if p.get("html"):
        return str(trusted(p["html"]))
    return f"<p{maybe('class', css or None)}>{escape(p['text'])}</p>" if filled(p.get("text")) else ""


def warning_callout(p: Params, say: Say) -> Markup:
    """A warning that a person must not miss: `heading`, `text` or `html`."""
    known(p, BODY | {"heading", "headingLevel"})
    level, spoken = int(p.get("headingLevel") or 3), escape(say("Important"))
    name = words(part(p.get("heading") or spoken))
    if spoken.lower() not in name.lower():
        name = Markup('<span role="text"><span class="nhsuk-u-visually-hidden">{}: </span>{}</span>').format(
            spoken, name
        )
    title = f'<h{level} class="nhsuk-card__heading">{name}</h{level}>'
    inner = f'<div class="nhsuk-card__content">{title}{_body(p, "nhsuk-card__description")}</div>'
    return finished(element("div", classes("nhsuk-card nhsuk-card--warning", p.get("classes")), inner, p))


def details(p: Params, say: Say) -> Markup:
    """Something to open: `summaryText`, then `text` or `html`; `open` shows it from the start."""
    known(p, BODY | {"summaryText", "open"})
    css, opened = classes("nhsuk-details", p.get("classes")), " open" if p.get("open") else ""
    inner = trusted(p["html"]) if p.get("html") else escape(p.get("text", ""))
    return finished(
        f'<details class="{css}"{maybe("id", p.get("id"))}{opened}{attributes(p.get("attributes"))}>'
        '<summary class="nhsuk-details__summary"><span class="nhsuk-details__summary-text">'
        f'{escape(p["summaryText"])}</span></summary><div class="nhsuk-details__text">{inner}</div></details>'
    )


def notification_banner(p: Params, say: Say) -> Markup:
    """What has just happened (`type: success`, takes the focus) or what a person should know."""
    known(p, BODY | {"type", "titleText", "role", "titleId", "disableAutoFocus"})
    good = p.get("type") == "success"
    title = words(part(p.get("titleText") or say("Success" if good else "Important")))
    ident = escape(p.get("titleId") or "nhsuk-notification-banner-title")
    css = classes("nhsuk-notification-banner", "nhsuk-notification-banner--success" if good else "", p.get("classes"))
    role = escape(p.get("role") or ("alert" if good else "region"))
    still = maybe("data-disable-auto-focus", "true" if p.get("disableAutoFocus") else None)
    return finished(
        f'<div class="{css}"{maybe("id", p.get("id"))} data-module="nhsuk-notification-banner" role="{role}"'
        f' aria-labelledby="{ident}"{still}{attributes(p.get("attributes"))}>'
        '<div class="nhsuk-notification-banner__header">'
        f'<h2 class="nhsuk-notification-banner__title" id="{ident}">{title}</h2></div>'
        f'<div class="nhsuk-notification-banner__content">{_body(p, "nhsuk-notification-banner__heading")}</div></div>'
    )


def back_link(p: Params, say: Say) -> Markup:
    known(p, BODY | {"href"})
    said = words(p) if p.get("text") or p.get("html") else escape(say("Back"))
    target = escape(link(p.get("href") or "#"))
    css = classes("nhsuk-back-link", p.get("classes"))
    return finished(f'<a class="{css}" href="{target}"{attributes(p.get("attributes"))}>{said}</a>')


def skip_link(p: Params, say: Say) -> Markup:
    known(p, BODY | {"href"})
    said = words(p) if p.get("text") else escape(say("Skip to main content"))
    target = escape(link(p.get("href") or "#maincontent"))
    return finished(f'<a class="nhsuk-skip-link" data-module="nhsuk-skip-link" href="{target}">{said}</a>')


def card(p: Params, say: Say) -> Markup:
    """A card: `heading` (`headingLevel`, 2), `text` or `html`; with `href` its heading is a link."""
    known(p, (PART - {"titleText", "describedBy"}) | {"heading", "headingLevel", "href", "headingClasses"})
    level = int(p.get("headingLevel") or 2)
    name = words(part(p.get("heading")))
    if p.get("href"):
        name = Markup('<a class="nhsuk-card__link" href="{}">{}</a>').format(link(p["href"]), name)
    css = classes("nhsuk-card__heading", p.get("headingClasses"))
    title = f'<h{level} class="{css}">{name}</h{level}>' if name else ""
    inner = f'<div class="nhsuk-card__content">{title}{_body(p, "nhsuk-card__description")}</div>'
    return finished(element("div", classes("nhsuk-card", p.get("classes")), inner, p))
