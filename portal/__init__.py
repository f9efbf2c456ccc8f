"""Previsit: a pre-visit intake patient portal.

Decided: `portal/app.py` holds create_app and this package imports it when called, so that the worker and the sandbox carry no web
framework. No inline script or style at all, rather than a nonce: the policy is 'self', there is nothing to exempt, no library is needed.
Previsit opens in a window of its own and refuses to be framed: cookies are SameSite=Lax, and a frame could cover its buttons. Pages are
compressed only for requests that our own pages or the person made (Sec-Fetch-Site): no other site can measure their size. Ids are 16 hex
characters made by us, not by the database: a sealed value is bound to its row before the row is stored.
"""

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
