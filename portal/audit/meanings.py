"""What each event is in FHIR: type, subtype, action and the IHE BALP profile it follows when it succeeded."""

from dataclasses import dataclass

from portal.audit.events import Event

BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
DCM = "http://dicom.nema.org/resources/ontology/DCM"
EVENT_TYPE = "http://terminology.hl7.org/CodeSystem/audit-event-type"
INTERACTION = "http://hl7.org/fhir/restful-interaction"
LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
AUTHZ = "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType"


@dataclass(frozen=True)
class Meaning:
    """`profile` is the BALP pattern without its "Patient" variant; None where BALP has none."""

    type: tuple[str, str, str]
    subtypes: tuple[tuple[str, str, str], ...]
    action: str
    profile: str | None = None


def _rest(code: str, action: str, profile: str) -> Meaning:
    return Meaning((EVENT_TYPE, "rest", "Restful Operation"), ((INTERACTION, code, code),), action, profile)


def _alert(code: str, display: str, action: str = "U") -> Meaning:
    return Meaning((DCM, "110113", "Security Alert"), ((DCM, code, display),), action)


def _session(code: str, display: str) -> Meaning:
    return Meaning((DCM, "110114", "User Authentication"), ((DCM, code, display),), "E")


READ = _rest("read", "R", "Read")
QUERY = _rest("search", "E", "Query")
CREATE = _rest("create", "C", "Create")
UPDATE = _rest("update", "U", "Update")
DELETE = _rest("delete", "D", "Delete")
LOGIN, LOGOUT = _session("110122", "Login"), _session("110123", "Logout")
NODE = _session("110126", "Node Authentication")
ATTRIBUTES = _alert("110137", "User security Attributes Changed")
ROLES = _alert("110136", "Security Roles Changed")
CONFIGURED = _alert("110129", "Security Configuration")
OBJECT_ALERT = _alert("110135", "Object Security Attributes Changed")
REFUSED = Meaning((EVENT_TYPE, "rest", "Restful Operation"), ((DCM, "110132", "Use of Restricted Function"),), "E")
OVERRIDE_BEGUN = _alert("110127", "Emergency Override Started", "E")
OVERRIDE_ENDED = _alert("110138", "Emergency Override Stopped", "E")
LOG_USED = Meaning((DCM, "110101", "Audit Log Used"), (), "R")
STARTED = Meaning((DCM, "110100", "Application Activity"), ((DCM, "110120", "Application Start"),), "E")
DISCLOSED = Meaning(
    (DCM, "110106", "Export"), ((LIFECYCLE, "disclose", "disclose"),), "R", profile="PrivacyDisclosure.Source"
)
EXPORTED = Meaning((DCM, "110106", "Export"), (), "R")
IMPORTED = Meaning((DCM, "110107", "Import"), (), "C")
DECIDED = Meaning((DCM, "110113", "Security Alert"), ((AUTHZ, "AuthZ-Consent", "AuthZ-Consent"),), "E", "AuthZconsent")

MEANS: dict[Event, Meaning] = {
    Event.STARTED: STARTED,
    Event.SIGNED_IN: LOGIN,
    Event.SIGN_IN_FAILED: LOGIN,
    Event.PROVED_AGAIN: LOGIN,
    Event.SIGNED_OUT: LOGOUT,
    Event.SESSION_ENDED: LOGOUT,
    Event.ACCESS_DENIED: REFUSED,
    Event.INVITED: ATTRIBUTES,
    Event.INVITATION_FAILED: LOGIN,
    Event.JOINED: ATTRIBUTES,
    Event.STAFF_ADDED: ROLES,
    Event.STAFF_CHANGED: ROLES,
    Event.STAFF_SUSPENDED: ROLES,
    Event.STAFF_RESTORED: ROLES,
    Event.PASSWORD_SET: ATTRIBUTES,
    Event.FACTOR_ADDED: ATTRIBUTES,
    Event.FACTOR_REMOVED: ATTRIBUTES,
    Event.RECOVERY_CODES_MADE: ATTRIBUTES,
    Event.RECOVERY_OFFERED: ATTRIBUTES,
    Event.RECOVERED: ATTRIBUTES,
    Event.ACCOUNT_SEEN: READ,
    Event.VISIT_SEEN: READ,
    Event.VISIT_SYNCHRONISED: UPDATE,
    Event.RECORD_READ: QUERY,
    Event.FACTS_SEEN: READ,
    Event.FACTS_SAVED: UPDATE,
    Event.FORM_SEEN: READ,
    Event.FORM_SAVED: UPDATE,
    Event.FORM_SIGNED: UPDATE,
    Event.ANSWERS_SEEN: READ,
    Event.SUBMITTED: CREATE,
    Event.RECEIPT_SEEN: READ,
    Event.LABS_READ: READ,
    Event.LABS_DOWNLOADED: DISCLOSED,
    Event.RESULT_ASKED: CREATE,
    Event.RESULT_ANSWERED: UPDATE,
    Event.RESULT_QUESTION_CLOSED: UPDATE,
    Event.RESULT_QUESTION_SEEN: READ,
    Event.QUALITY_SEEN: QUERY,
    Event.MEASURES_SEEN: QUERY,
    Event.MEASURES_EXPORTED: EXPORTED,
    Event.CONSENT_SEEN: READ,
    Event.CONSENT_GIVEN: CREATE,
    Event.CONSENT_WITHDRAWN: UPDATE,
    Event.CONSENT_DECIDED: DECIDED,
    Event.QUEUE_SEEN: QUERY,
    Event.SUBMISSION_SEEN: READ,
    Event.SUBMISSION_TAKEN: UPDATE,
    Event.SUBMISSION_LET_GO: UPDATE,
    Event.PROPOSAL_DECIDED: UPDATE,
    Event.SUBMISSION_RETURNED: UPDATE,
    Event.SUBMISSION_ACCEPTED: UPDATE,
    Event.PATIENT_MATCHED: UPDATE,
    Event.PATIENT_NOT_MATCHED: UPDATE,
    Event.PATIENT_UNTIED: OBJECT_ALERT,
    Event.RECORD_MENDED: UPDATE,
    Event.RECORD_CORRECTED: UPDATE,
    Event.TAKEN_BACK: UPDATE,
    Event.REOPENED: UPDATE,
    Event.CANDIDATES_SEEN: QUERY,
    Event.DELIVERY_QUEUED: CREATE,
    Event.DELIVERY_ATTEMPTED: CREATE,
    Event.DELIVERY_CONFIRMED: DISCLOSED,
    Event.DELIVERY_HELD: UPDATE,
    Event.DELIVERY_RESENT: UPDATE,
    Event.DELIVERY_CLOSED: UPDATE,
    Event.DELIVERY_WITHHELD: UPDATE,
    Event.DELIVERY_SEEN: READ,
    Event.CONNECTION_CHANGED: CONFIGURED,
    Event.FORM_IMPORTED: CREATE,
    Event.ASKED_CHANGED: UPDATE,
    Event.FORM_ACTIVATED: UPDATE,
    Event.FORM_DEACTIVATED: UPDATE,
    Event.TOKEN_OBTAINED: NODE,
    Event.RECORD_CONNECTED: ATTRIBUTES,
    Event.RECORD_DISCONNECTED: ATTRIBUTES,
    Event.LAUNCH_ANSWERED: LOGIN,
    Event.LAUNCH_REFUSED: LOGIN,
    Event.EHR_USER_TIED: ATTRIBUTES,
    Event.EHR_USER_UNTIED: ATTRIBUTES,
    Event.WRONG_PATIENT: OBJECT_ALERT,
    Event.AUDIT_SEEN: LOG_USED,
    Event.AUDIT_EXPORTED: LOG_USED,
    Event.AUDIT_ASKED: CREATE,
    Event.AUDIT_ANSWERED: UPDATE,
    Event.AUDIT_QUESTION_CLOSED: UPDATE,
    Event.AUDIT_QUESTION_SEEN: READ,
    Event.KEYS_ROTATED: CONFIGURED,
    Event.PATIENT_ERASED: DELETE,
    Event.BACKUP_MADE: EXPORTED,
    Event.RESTORED: IMPORTED,
    Event.PROXY_OFFERED: ROLES,
    Event.PROXY_ACCEPTED: ROLES,
    Event.PROXY_REVOKED: ROLES,
    Event.PROXY_GIVEN_UP: ROLES,
    Event.PROXY_ENDED: ROLES,
    Event.PROXIES_SEEN: READ,
    Event.ANSWERING_FOR: LOGIN,
    Event.MESSAGE_SENT: CREATE,
    Event.MESSAGE_FAILED: CREATE,
    Event.REMINDERS_STOPPED: UPDATE,
    Event.REMINDERS_WANTED: UPDATE,
    Event.EMERGENCY_ASKED: QUERY,
    Event.EMERGENCY_BEGUN: OVERRIDE_BEGUN,
    Event.EMERGENCY_ENDED: OVERRIDE_ENDED,
    Event.EMERGENCIES_SEEN: LOG_USED,
    Event.EMERGENCY_CHECKED: LOG_USED,
}
"""Every event (tests/audit holds it to that)."""
