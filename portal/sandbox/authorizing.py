"""/authorize: who are you, whose record, what do you allow; and the page that plays an EHR which opens other applications.

Small and honest: nobody has a password, there are no sessions, what was chosen on one page travels to the next in the form.
An application that was opened from the EHR page is not asked again: who was signed in there, and which patient was open,
stand behind its `launch`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from portal.sandbox import grants, tickets
from portal.sandbox.clinic import clinic
from portal.sandbox.config import Client
from portal.sandbox.people import choices, workers
from portal.sandbox.tickets import Ticket

bp = Blueprint("authorizing", __name__)

LAUNCH_SECONDS = 300
PARAMETERS = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "aud",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "launch",
)
ABOUT = {
    "openid": "Know that it is you",
    "fhirUser": "Know which entry of this clinic is you",
    "launch/patient": "Know whose record you chose",
    "launch": "Know which patient was open",
    "offline_access": "Go on when you are not there, until you end it",
}


@bp.route("/authorize", methods=["GET", "POST"])
def authorize() -> ResponseReturnValue:
    """Each step is a page until all is said; then back to the client. An unknown client or address is never redirected to."""
    asked = {name: request.values[name] for name in PARAMETERS if name in request.values}
    client = clinic().config.client(asked.get("client_id", ""))
    if client is None or asked.get("redirect_uri") not in client.redirect_uris:
        return _problem("This application or its address is not registered here.")
    wrong = _wrong(asked, client)
    if wrong:
        return _back(asked, error=wrong[0], error_description=wrong[1])
    if "launch" in asked:
        return _launched(asked, client)
    if request.form.get("decision") == "deny":
        return _back(asked, error="access_denied", error_description="The person said no.")
    return _asking(asked, client)


def _asking(asked: dict[str, str], client: Client) -> ResponseReturnValue:
    """The next question, or the answer when there is none left."""
    people = choices(clinic().store)
    known = {f"Patient/{each.id}" for each in people} | {each.id for each in workers(clinic().store)}
    patient = request.form.get("patient", "")
    user = request.form.get("user") or (f"Patient/{patient}" if patient else "")
    if not user:
        return render_template("who.html", asked=asked, people=people, workers=workers(clinic().store))
    if user not in known or (patient and f"Patient/{patient}" not in known):
        return _problem("There is nobody of this name here.")
    patient = patient or user.removeprefix("Patient/") if user.startswith("Patient/") else patient
    if not patient:
        return render_template("picker.html", asked=asked, people=people, user=user)
    offered = grants.sign_in_scope(client, asked.get("scope", ""))
    if request.form.get("decision") != "allow":
        return render_template("consent.html", asked=asked, user=user, patient=patient, offered=_described(offered))
    chosen = request.form.getlist("allowed") if "choosing" in request.form else offered
    scope = [each for each in offered if each in chosen]
    if not scope:
        return _back(asked, error="access_denied", error_description="The person allowed nothing.")
    return _back(asked, code=grants.new_code(clinic().store, clinic().config, client, asked, scope, user, patient))


def _launched(asked: dict[str, str], client: Client) -> ResponseReturnValue:
    """Opened from the EHR page: the context stands behind `launch`, once."""
    with clinic().store.writing() as unit:
        found = tickets.find(unit, asked["launch"], "launch")
        fresh = found is not None and found.client == client.id and tickets.use_up(unit, asked["launch"])
    if found is None or not fresh:
        return _back(asked, error="invalid_request", error_description="launch is unknown, expired or was used before.")
    scope = grants.sign_in_scope(client, asked.get("scope", ""))
    user, patient = found.detail["user"], found.patient
    return _back(asked, code=grants.new_code(clinic().store, clinic().config, client, asked, scope, user, patient))


def _described(scope: list[str]) -> list[tuple[str, str]]:
    return [(each, ABOUT.get(each, f"Use of your data: {each}")) for each in scope]


@bp.get("/ehr")
def ehr() -> ResponseReturnValue:
    """Plays the EHR in which a clinician has a patient open."""
    known = [client for client in clinic().config.clients if client.launch_url]
    return render_template("ehr.html", clients=known, people=choices(clinic().store), workers=workers(clinic().store))


@bp.post("/ehr")
def open_application() -> ResponseReturnValue:
    """Opens an application for this clinician and patient: to its launch address, with `iss` and a `launch` good for once."""
    client = clinic().config.client(request.form.get("client_id", ""))
    user, patient = request.form.get("user", ""), request.form.get("patient", "")
    known = {each.id for each in workers(clinic().store)}
    if client is None or client.launch_url is None or user not in known:
        return _problem("Choose an application and who you are.")
    if patient and patient not in {each.id for each in choices(clinic().store)}:
        return _problem("There is no such patient.")
    with clinic().store.writing() as unit:
        ticket = Ticket("launch", "", client.id, "", patient or None, 0, False, {"user": user})
        launch = tickets.issue(unit, replace(ticket, expires=unit.now.timestamp() + LAUNCH_SECONDS))
    query = urlencode({"iss": clinic().config.base_url, "launch": launch})
    return redirect(f"{client.launch_url}{'&' if '?' in client.launch_url else '?'}{query}")


def _wrong(asked: dict[str, str], client: Client) -> tuple[str, str] | None:
    """What is wrong with an authorization request, as (error, words)."""
    if asked.get("response_type") != "code":
        return "unsupported_response_type", "response_type must be code."
    if asked.get("aud", "").rstrip("/") != clinic().config.base_url:
        return "invalid_request", f"aud must be {clinic().config.base_url}."
    if asked.get("code_challenge_method") != "S256":
        return "invalid_request", "PKCE with S256 is needed."
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", asked.get("code_challenge", "")):
        return "invalid_request", "code_challenge must be a SHA-256 in base64url."
    if not asked.get("state"):
        return "invalid_request", "state is needed."
    scope = grants.sign_in_scope(client, asked.get("scope", ""))
    if not scope or ("launch" in scope) != ("launch" in asked):
        return "invalid_scope", "None of the scopes can be granted so."
    return None


def _problem(words: str) -> ResponseReturnValue:
    return render_template("problem.html", words=words), 400


def _back(asked: dict[str, str], **answer: str) -> ResponseReturnValue:
    query = {**answer, "iss": clinic().config.public_url}
    if "state" in asked:
        query["state"] = asked["state"]
    joint = "&" if "?" in asked["redirect_uri"] else "?"
    return redirect(asked["redirect_uri"] + joint + urlencode(query))
