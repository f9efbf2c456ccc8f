"""The macros of nhsuk-frontend-jinja in their own Jinja environment: for components that we do not draw ourselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from jinja2 import ChainableUndefined, Environment, PackageLoader
from markupsafe import Markup

from portal.components.html import NOTHING, Params, UnsafeMarkup, attributes, finished

# where our name is not simply the folder and the macro in camel case
ELSEWHERE = {"table": ("tables", "table"), "breadcrumbs": ("breadcrumb", "breadcrumb")}


@cache
def _environment() -> Environment:
    return Environment(
        undefined=ChainableUndefined, loader=PackageLoader("nhsuk_frontend_jinja"), autoescape=True, auto_reload=False
    )


@cache
def _macro(name: str) -> Callable[..., Markup]:
    first, *rest = name.split("_")
    folder, macro = ELSEWHERE.get(name, (name.replace("_", "-"), first + "".join(word.title() for word in rest)))
    found: Callable[..., Markup] = getattr(
        _environment().get_template(f"nhsuk/components/{folder}/macro.jinja").module, macro
    )
    return found


def render(name: str, params: Params) -> Markup:
    """The library's macro for `name` (snake case). Refuses markup in plain strings anywhere in `params`.

    Raises jinja2.TemplateNotFound for a name that the library does not have.
    """
    check(params)
    return finished(str(_macro(name)(params)).strip())


def check(value: Any) -> None:
    """UnsafeMarkup when an `html` (or `…Html`) is a plain string or an attribute may not be."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if (name == "html" or str(name).endswith("Html")) and inner and not isinstance(inner, Markup):
                raise UnsafeMarkup(f"`{name}` takes Markup made by a template; pass plain words as text")
            if name == "attributes":
                attributes(inner or NOTHING)
            elif name in {"href", "previousUrl", "nextUrl"} and inner:
                attributes({"href": inner})
            else:
                check(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            check(inner)
