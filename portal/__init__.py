"""Previsit: a pre-visit intake patient portal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from portal.settings import Settings


def create_app(config: Settings | None = None) -> Flask:
    """The portal as a WSGI application; raises Misconfigured with a sentence when it cannot run safely.

    Imported when called: the worker and the sandbox need none of the web.
    """
    from portal.app import create_app as make

    return make(config)
