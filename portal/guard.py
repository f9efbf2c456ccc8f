"""The doors: session to Actor, one kind of visitor per room, deny by default, CSRF, and nothing typed lost at a time-out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from flask import Blueprint, Flask, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user, login_user
from flask_wtf.csrf import CSRFProtect

from portal.actors import Actor, Role
from portal.clock import now
from portal.errors import NotAllowed, SignInNeeded

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_KEPT_BYTES = 200_000


class Live(Protocol):
    """A session that stands: who acts, in which clinic, until when."""

    @property
    def actor(self) -> Actor: ...
    @property
    def clinic(self) -> Any: ...
    @property
    def ends_at(self) -> datetime: ...


@dataclass
class Doors:
    """What the guard asks of the floors above; passed in by create_app."""

    resume: Callable[[str], Live | str | None]
    """cookie token → live session, or the account id of one that ran out of time, or None"""
    keep: Callable[[str, str, list[list[str]]], None]
    denied: Callable[[Actor, str], None]
    sign_in_endpoint: str
    rooms: dict[str, frozenset[Role]] = field(default_factory=dict)


class Viewer(UserMixin):  # type: ignore[misc]
    """Flask-Login's user: the live session behind the cookie, known to the browser only by its opaque token."""

    def __init__(self, token: str, live: Live) -> None:
        self.token = token
        self.live = live

    def get_id(self) -> str:
        return self.token


def install(app: Flask, doors: Doors) -> None:
    """Put the guard at every door of `app`."""
    app.extensions["doors"] = doors
    CSRFProtect(app)
    login = LoginManager(app)
    login.session_protection = None  # the session lives on the server and has its own time-outs
    login.user_loader(_load)
    app.before_request(_door)


def open_room(app: Flask, room: Blueprint, *roles: Role) -> None:
    """Register a room and say who may enter it; a room that is not opened answers 403."""
    _doors(app).rooms[room.name] = frozenset(roles)
    app.register_blueprint(room)


def actor() -> Actor:
    """Who acts in this request; SignInNeeded when nobody is signed in."""
    live = viewer()
    if live is None:
        raise SignInNeeded
    return live.actor


def viewer() -> Live | None:
    """The live session of this request, looked up once."""
    if "viewer" not in g:
        g.viewer = current_user.live if current_user.is_authenticated else None
    found: Live | None = g.viewer
    return found


def enter(token: str) -> None:
    """The browser is now signed in with this session token; everything the cookie held before is gone.

    Only the CSRF token stays for a person who signs in again after a time-out, so that their other tabs can still be sent,
    and the word by which this browser is known while somebody is on their way to the clinic's own sign-in and back.
    """
    live = _doors(current_app).resume(token)
    assert live is not None and not isinstance(live, str)
    csrf = session.get("csrf_token") if g.get("lapsed") == live.actor.account_id else None
    stays = {"csrf_token": csrf, "launch": session.get("launch")}
    session.clear()
    session.update({name: value for name, value in stays.items() if value})
    login_user(Viewer(token, live))
    g.viewer = live


def leave() -> None:
    session.clear()
    g.viewer = None


def next_path(default: str) -> str:
    """Where to go after signing in: a path of ours, never another address."""
    wanted = request.args.get("next", "")
    parts = urlsplit(wanted)
    harmless = (
        wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable() and "\\" not in wanted
    )
    return wanted if harmless and not parts.scheme and not parts.netloc else default


def _doors(app: Flask) -> Doors:
    doors: Doors = app.extensions["doors"]
    return doors


def _load(token: str) -> Viewer | None:
    found = _doors(current_app).resume(token)
    if isinstance(found, str):
        g.lapsed = found
        return None
    return Viewer(token, found) if found is not None else None


def _door() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None
    doors = _doors(current_app)
    admitted = doors.rooms.get(request.blueprint or "", frozenset())
    if Role.ANYONE in admitted:
        return None
    live = viewer()
    if live is None:
        if not admitted:
            raise NotAllowed
        return _to_sign_in(doors)
    if live.actor.role not in admitted:
        raise NotAllowed
    return None


def note_refusal() -> None:
    """Write down that somebody who is signed in was not let in, here or by a service (bar 100)."""
    live = viewer()
    if live is not None:
        _doors(current_app).denied(live.actor, request.endpoint or "")


def _to_sign_in(doors: Doors) -> ResponseReturnValue:
    path = request.full_path.rstrip("?") if request.method in SAFE else request.path
    lapsed = g.get("lapsed")
    if request.method not in SAFE and lapsed:
        typed = [[name, value] for name, value in request.form.items(multi=True) if name != "csrf_token"]
        if sum(len(name) + len(value) for name, value in typed) <= _KEPT_BYTES:
            doors.keep(lapsed, path, typed)
    return redirect(url_for(doors.sign_in_endpoint, next=path, ended="1" if lapsed else None), 303)


def time_left() -> timedelta | None:
    """How long this session lasts if nothing more happens."""
    live = viewer()
    return live.ends_at - now() if live else None
