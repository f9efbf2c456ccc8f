"""Who may open which door: one row for every endpoint, from which every cell of the authorization matrix is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from portal.actors import Permission, Role, Scope

PATIENT = frozenset({Role.PATIENT})
ANSWERING = frozenset({Role.PATIENT, Role.PROXY})
DESK = frozenset({Role.FRONT_DESK, Role.CLINICIAN, Role.ADMINISTRATOR})
ADMIN = frozenset({Role.ADMINISTRATOR})
CLINICIAN = frozenset({Role.CLINICIAN})
OFFICER = frozenset({Role.PRIVACY_OFFICER})
PUBLISHERS = frozenset({Role.CLINICIAN, Role.ADMINISTRATOR})
STAFF = DESK | {Role.PRIVACY_OFFICER, Role.AUDITOR}

THINGS = {
    "visit_id": "visit",
    "submission_id": "submission",
    "version_id": "consent",
    "item_id": "item",
    "connection_id": "connection",
    "launch_id": "launch",
    "tie_id": "tie",
    "correction_id": "correction",
    "patient_id": "patient",
    "emergency_id": "emergency",
    "question_id": "question",
    "form_id": "form",
    "grant_id": "grant",
    "mark": "file",
    "card_id": "card",
    "token": "invitation",
    "account_id": "member",
}
"""What a part of an address names, unless the row says otherwise; the ids are in World.things."""


@dataclass(frozen=True)
class Door:
    """`roles` who may enter (None: everybody, also strangers); `needs` a permission besides. `of`: whose object the address
    names: "patient" the person's own, "clinic" the clinic's, "link" whoever holds it, "" nobody's. `at` fills the other parts
    of the address, `named` says which thing stands where, `form` is what a person might post there. `scope` is what somebody
    must be allowed who answers for the patient."""

    roles: frozenset[Role] | None
    of: str = ""
    needs: Permission | None = None
    at: Mapping[str, str] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    scope: Scope | None = None


AUDITORS = frozenset({Role.PRIVACY_OFFICER, Role.ADMINISTRATOR, Role.AUDITOR})
FORM = {"slug": "health-history"}
PAGE = {**FORM, "page_key": "your-visit"}
SIGNED = {"slug": "consent-to-treatment"}
CHOICES = {"share": "no", "sensitive": "no", "results": "no", "research": "no", "until": "year"}
INVITERS = frozenset({Role.FRONT_DESK})
NEW_STAFF = {"name": "N", "email": "new@example.org", "role": "clinician"}
NEW_VISIT = {"name": "N", "birth_date": "1985-03-27", "day": "2027-03-27", "time": "14:30"}
SENT = {"visit_id": "sent"}
WORDS = {"text": "What does this mean?", "version": "1"}
VERSION = {"version_id": "form version"}
HELPING = {"token": "help link"}

DOORS: dict[str, Door] = {
    "pulse.beat": Door(None),
    "door.home": Door(None),
    "door.sign_in": Door(
        None, at={"slug": "riverside"}, form={"email": "x@example.org", "password": "not the right one"}
    ),
    "door.join": Door(None, "link", form={"day": "1", "month": "1", "year": "1900"}),
    "door.join_account": Door(None, "link", form={"email": "x@example.org", "password": "four plain words and a fish"}),
    "door.about": Door(None, at={"topic": "privacy"}),
    "door.language": Door(None, form={"language": "es"}),
    "way_in.code": Door(None),
    "way_in.give_code": Door(None, form={"code": "123456"}),
    "way_in.ask_passkey": Door(None, at={"slug": "riverside"}),
    "way_in.by_passkey": Door(None, at={"slug": "riverside"}, form={"credential": "{}"}),
    "way_in.back_in": Door(None, "link", named={"token": "way back"}),
    "way_in.renew": Door(None, "link", named={"token": "way back"}, form={"code": "no", "password": "x"}),
    "security.home": Door(ANSWERING | STAFF),
    "security.set_up": Door(ANSWERING | STAFF),
    "security.news": Door(ANSWERING | STAFF),
    "security.read_news": Door(ANSWERING | STAFF),
    "security.end_one": Door(ANSWERING | STAFF, form={"session": "0123456789abcdef"}),
    "security.end_others": Door(ANSWERING | STAFF),
    "security.password": Door(ANSWERING | STAFF),
    "security.change_password": Door(ANSWERING | STAFF, form={"password": "six wet stones beside a kettle"}),
    "security.begin_app": Door(ANSWERING | STAFF),
    "security.app": Door(ANSWERING | STAFF),
    "security.confirm_app": Door(ANSWERING | STAFF, form={"code": "123456"}),
    "security.passkey": Door(ANSWERING | STAFF),
    "security.ask_passkey": Door(ANSWERING | STAFF),
    "security.add_passkey": Door(ANSWERING | STAFF, form={"credential": "{}"}),
    "security.remove": Door(ANSWERING | STAFF, form={"factor": "0123456789abcdef"}),
    "security.new_codes": Door(ANSWERING | STAFF),
    "security.prove": Door(ANSWERING | STAFF),
    "security.proved": Door(ANSWERING | STAFF, form={"password": "not the right one"}),
    "security.ask_proof": Door(ANSWERING | STAFF),
    "security.proved_by_passkey": Door(ANSWERING | STAFF, form={"credential": "{}"}),
    "staffing.listed": Door(ADMIN, needs=Permission.MANAGE_STAFF),
    "staffing.hire": Door(ADMIN, needs=Permission.MANAGE_STAFF, form=NEW_STAFF),
    "staffing.one": Door(ADMIN, "clinic", Permission.MANAGE_STAFF),
    "staffing.way_back": Door(ADMIN, "clinic", Permission.MANAGE_STAFF),
    "staffing.give_role": Door(ADMIN, "clinic", Permission.MANAGE_STAFF, form={"role": "clinician"}),
    "staffing.suspend": Door(ADMIN, "clinic", Permission.MANAGE_STAFF, form={"left": "yes"}),
    "staffing.restore": Door(ADMIN, "clinic", Permission.MANAGE_STAFF),
    "help.one_patient": Door(INVITERS, "clinic", Permission.INVITE),
    "help.offer": Door(INVITERS, "clinic", Permission.INVITE, form={"lost": "everything"}),
    "me.sign_out": Door(ANSWERING | STAFF),
    "me.still_here": Door(ANSWERING | STAFF),
    "answering.whom": Door(ANSWERING),
    "answering.choose": Door(ANSWERING, form={"for": "self"}),
    "answering.stop": Door(ANSWERING, form={"grant": "0123456789abcdef"}),
    "helpers.listed": Door(PATIENT),
    "helpers.new": Door(PATIENT),
    "helpers.offer": Door(PATIENT),
    "helpers.end": Door(PATIENT, "patient"),
    "helping.prove": Door(None, "link", named=HELPING, form={"day": "1", "month": "1", "year": "1900"}),
    "helping.account": Door(None, "link", named=HELPING),
    "proxies.listed": Door(INVITERS, "clinic", Permission.INVITE),
    "proxies.offer": Door(INVITERS, "clinic", Permission.INVITE),
    "proxies.end": Door(INVITERS, "clinic", Permission.INVITE),
    "looked.who_looked": Door(PATIENT),
    "looked.about": Door(PATIENT, "patient", named={"entry_id": "entry"}),
    "looked.ask": Door(PATIENT, "patient", named={"entry_id": "entry"}, form=WORDS),
    "trail.people": Door(AUDITORS, needs=Permission.SEE_AUDIT, form={"name": "nobody"}),
    "trail.questions": Door(AUDITORS, needs=Permission.ANSWER_AUDIT),
    "trail.question": Door(AUDITORS, "clinic", Permission.ANSWER_AUDIT, named={"question_id": "audit question"}),
    "trail.settle": Door(
        AUDITORS,
        "clinic",
        Permission.ANSWER_AUDIT,
        named={"question_id": "audit question"},
        form={**WORDS, "step": "close"},
    ),
    "trail.entries": Door(AUDITORS, needs=Permission.SEE_AUDIT),
    "trail.standing_now": Door(AUDITORS, needs=Permission.SEE_AUDIT),
    "trail.exported": Door(AUDITORS, needs=Permission.SEE_AUDIT),
    "intake.home": Door(PATIENT),
    "intake.hub": Door(PATIENT, "patient"),
    "intake.confirm": Door(PATIENT, "patient"),
    "intake.confirm_section": Door(PATIENT, "patient", at={"key": "medication"}, form={"step": "", "version": "0"}),
    "intake.form_start": Door(PATIENT, "patient", at=FORM),
    "intake.form_page": Door(PATIENT, "patient", at=PAGE, form={"step": "later", "shown": ""}),
    "intake.file": Door(PATIENT, "patient", at=SIGNED),
    "cards.picture": Door(PATIENT, "patient"),
    "signing.sign": Door(PATIENT, "patient", at=SIGNED),
    "signing.signed": Door(PATIENT, "patient", at=SIGNED, form={"name": "N", "agreed": "yes", "seen": "x"}),
    "signing.copy": Door(PATIENT, "patient", at=SIGNED),
    "intake.check": Door(PATIENT, "patient"),
    "intake.send": Door(PATIENT, "patient"),
    "intake.receipt": Door(PATIENT, "patient", named=SENT),
    "changes.sent": Door(PATIENT, "patient", named=SENT),
    "changes.take_back": Door(PATIENT, "patient", named=SENT),
    "changes.change": Door(PATIENT, "patient", named=SENT),
    "consent.visit_choices": Door(PATIENT, "patient"),
    "consent.choose_for_visit": Door(PATIENT, "patient", form=CHOICES),
    "consent.shared": Door(PATIENT),
    "consent.choices": Door(PATIENT),
    "consent.choose": Door(PATIENT, form=CHOICES),
    "consent.take_back": Door(PATIENT),
    "consent.copy": Door(PATIENT, "patient"),
    "consent.kept_copy": Door(PATIENT, "patient"),
    "labs.overview": Door(PATIENT),
    "labs.report": Door(PATIENT, "patient", named={"address": "report"}),
    "labs.trend": Door(PATIENT, "patient", named={"address": "trend"}),
    "labs.printed": Door(PATIENT),
    "labs.downloaded": Door(PATIENT),
    "labs.document": Door(PATIENT, "patient", named={"address": "paper"}),
    "labs.asking": Door(PATIENT, "patient", named={"address": "result"}),
    "labs.ask": Door(PATIENT, "patient", named={"address": "result"}, form=WORDS),
    "labs.question": Door(PATIENT, "patient"),
    "labs.ask_more": Door(PATIENT, "patient", form=WORDS),
    "result_questions.listed": Door(DESK, needs=Permission.SEE_QUEUE),
    "result_questions.one": Door(DESK, "clinic", Permission.SEE_QUEUE),
    "result_questions.settle": Door(DESK, "clinic", Permission.REVIEW, form={**WORDS, "step": "close"}),
    "measures.shown": Door(AUDITORS, needs=Permission.SEE_MEASURES),
    "measures.table": Door(AUDITORS, needs=Permission.SEE_MEASURES),
    "measures.measure_report": Door(AUDITORS, needs=Permission.SEE_MEASURES),
    "measures.measure": Door(AUDITORS, needs=Permission.SEE_MEASURES),
    "quality.shown": Door(AUDITORS | CLINICIAN, needs=Permission.SEE_QUALITY),
    "review.desk": Door(DESK, needs=Permission.SEE_QUEUE),
    "review.submission": Door(DESK, "clinic", Permission.SEE_QUEUE),
    "review.file": Door(DESK, "clinic", Permission.SEE_QUEUE),
    "review.decide": Door(DESK, "clinic", Permission.REVIEW, form={"step": "save"}),
    "review.keys": Door(DESK),
    "review.switch_keys": Door(DESK, form={"keys": "off"}),
    "review.take": Door(DESK, "clinic", Permission.REVIEW),
    "review.let_go": Door(DESK, "clinic", Permission.REVIEW),
    "review.again": Door(DESK, "clinic", Permission.REVIEW),
    "review.match": Door(DESK, "clinic", Permission.MATCH, form={"step": "none", "reason": "nobody fits"}),
    "ties.undo": Door(DESK, "clinic", Permission.MATCH, form={"reason": "another person"}),
    "ties.mend": Door(DESK, "clinic", Permission.MATCH, form={"reason": "marked by hand"}),
    "ties.correct": Door(DESK, "clinic", Permission.MATCH, form={"place": "0"}),
    "corrections.listed": Door(DESK | OFFICER),
    "review.visits": Door(DESK, needs=Permission.SEE_QUEUE),
    "review.find": Door(DESK, needs=Permission.SEE_QUEUE, form={"words": "nobody"}),
    "review.invite_new": Door(DESK, needs=Permission.INVITE, form=NEW_VISIT),
    "review.invite": Door(DESK, "clinic", Permission.INVITE),
    "messages.listed": Door(DESK, needs=Permission.SEE_QUEUE),
    "messages.invite": Door(DESK, "clinic", Permission.INVITE),
    "stopping.ask": Door(None, "link", named={"token": "stop"}),
    "stopping.stop": Door(None, "link", named={"token": "stop"}),
    "my_messages.letters_to_me": Door(PATIENT),
    "my_messages.reminders": Door(PATIENT, form={"wanted": "yes"}),
    "emergency.asked": Door(CLINICIAN, "clinic", Permission.BREAK_GLASS),
    "emergency.begin": Door(CLINICIAN, "clinic", Permission.BREAK_GLASS, form={"reason": "Found unconscious at home"}),
    "emergency.close": Door(CLINICIAN),
    "emergencies.listed": Door(OFFICER, needs=Permission.SEE_EMERGENCIES),
    "emergencies.check": Door(
        OFFICER, "clinic", Permission.SEE_EMERGENCIES, form={"finding": "Asked them: it was so."}
    ),
    "delivery.held": Door(DESK, needs=Permission.WORK_HELD),
    "delivery.resend_all": Door(DESK, needs=Permission.WORK_HELD, form={"reason": "refused"}),
    "delivery.item": Door(DESK, "clinic", Permission.WORK_HELD),
    "delivery.resend": Door(DESK, "clinic", Permission.WORK_HELD),
    "delivery.close": Door(DESK, "clinic", Permission.WORK_HELD, form={"reason": "entered by hand"}),
    "keys.every_key": Door(None),
    "keys.keys_of": Door(None, "link"),
    "launch.from_ehr": Door(None, at={"slug": "riverside"}),
    "launch.sign_in": Door(None, "link"),
    "launch.callback": Door(None, "link"),
    "claim.ask": Door(STAFF, "clinic"),
    "claim.answer": Door(STAFF, "clinic"),
    "connect.home": Door(PATIENT),
    "connect.begin": Door(PATIENT),
    "connect.end": Door(PATIENT),
    "ehr.connections": Door(ADMIN, "", Permission.MANAGE_CONNECTIONS),
    "ehr.new": Door(ADMIN, "", Permission.MANAGE_CONNECTIONS),
    "ehr.register": Door(
        ADMIN,
        "",
        Permission.MANAGE_CONNECTIONS,
        form={"name": "N", "base_url": "https://ehr.example.org/fhir", "client_id": "c"},
    ),
    "ehr.connection": Door(ADMIN, "clinic", Permission.MANAGE_CONNECTIONS),
    "ehr.test": Door(ADMIN, "clinic", Permission.MANAGE_CONNECTIONS),
    "ehr.pause": Door(ADMIN, "clinic", Permission.MANAGE_CONNECTIONS, form={"why": "work on the server"}),
    "ehr.resume": Door(ADMIN, "clinic", Permission.MANAGE_CONNECTIONS, form={"why": "done"}),
    "ehr.rotate": Door(ADMIN, "clinic", Permission.MANAGE_CONNECTIONS),
    "ehr.confirm": Door(ADMIN, "clinic", Permission.MANAGE_CONNECTIONS),
    "ehr.make_service": Door(ADMIN, "clinic", Permission.MANAGE_CONNECTIONS, form={"client_id": "c"}),
    "ehr.signing": Door(ADMIN, "clinic", Permission.MANAGE_CONNECTIONS),
    "ehr.set_signing": Door(
        ADMIN, "clinic", Permission.MANAGE_CONNECTIONS, form={"client_id": "c", "method": "none", "who": "patients"}
    ),
    "ehr.tie": Door(
        ADMIN,
        "clinic",
        Permission.MANAGE_CONNECTIONS,
        form={"email": "clinician@example.org", "user": "Practitioner/x"},
    ),
    "ehr.untie": Door(ADMIN, "clinic", Permission.MANAGE_CONNECTIONS),
    "asking.shown": Door(PUBLISHERS, needs=Permission.SEE_FORMS),
    "asking.saved": Door(PUBLISHERS, needs=Permission.MANAGE_FORMS, form={"days-allergy": "30"}),
    "publishing.forms": Door(PUBLISHERS, needs=Permission.SEE_FORMS),
    "publishing.new": Door(PUBLISHERS, needs=Permission.MANAGE_FORMS),
    "publishing.bring": Door(PUBLISHERS, needs=Permission.MANAGE_FORMS),
    "publishing.search": Door(PUBLISHERS, needs=Permission.MANAGE_FORMS, form={"title": "mood"}),
    "publishing.fetch": Door(PUBLISHERS, needs=Permission.MANAGE_FORMS, form={"chosen": "x"}),
    "publishing.form": Door(PUBLISHERS, "clinic", Permission.SEE_FORMS),
    "publishing.version": Door(PUBLISHERS, "clinic", Permission.SEE_FORMS, named=VERSION),
    "publishing.file": Door(PUBLISHERS, "clinic", Permission.SEE_FORMS, named=VERSION),
    "publishing.fetch_lists": Door(PUBLISHERS, "clinic", Permission.MANAGE_FORMS, named=VERSION),
    "publishing.ask": Door(
        PUBLISHERS, "clinic", Permission.MANAGE_FORMS, named=VERSION, form={"required": "yes", "order": "50"}
    ),
    "publishing.stop": Door(PUBLISHERS, "clinic", Permission.MANAGE_FORMS),
    "preview.preview": Door(PUBLISHERS, "clinic", Permission.SEE_FORMS, named=VERSION, form={"step": "update"}),
}

FOR_OTHERS = {
    "intake": Scope.FORMS,
    "cards": Scope.FORMS,
    "signing": Scope.CONSENTS,
    "changes": Scope.FORMS,
    "consent": Scope.CONSENTS,
    "labs": Scope.RESULTS,
    "looked": Scope.CONSENTS,
}
"""The rooms that are open to who answers for a patient, with what they must be allowed."""
DOORS |= {
    name: replace(door, roles=ANSWERING, scope=FOR_OTHERS[name.split(".")[0]])
    for name, door in DOORS.items()
    if name.split(".")[0] in FOR_OTHERS
}
