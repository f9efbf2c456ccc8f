"""What is audited, as a closed list, and the words a patient reads for it."""

from enum import StrEnum


class Outcome(StrEnum):
    """FHIR R4 AuditEvent.outcome."""

    OK = "0"
    MINOR = "4"
    SERIOUS = "8"


class Event(StrEnum):
    STARTED = "started"
    SIGNED_IN = "signed-in"
    SIGN_IN_FAILED = "sign-in-failed"
    SIGNED_OUT = "signed-out"
    SESSION_ENDED = "session-ended"
    ACCESS_DENIED = "access-denied"
    INVITED = "invited"
    INVITATION_FAILED = "invitation-failed"
    JOINED = "joined"
    STAFF_ADDED = "staff-added"
    STAFF_CHANGED = "staff-changed"
    STAFF_SUSPENDED = "staff-suspended"
    STAFF_RESTORED = "staff-restored"
    PASSWORD_SET = "password-set"
    PROVED_AGAIN = "proved-again"
    FACTOR_ADDED = "factor-added"
    FACTOR_REMOVED = "factor-removed"
    RECOVERY_CODES_MADE = "recovery-codes-made"
    RECOVERY_OFFERED = "recovery-offered"
    RECOVERED = "recovered"
    ACCOUNT_SEEN = "account-seen"
    VISIT_SEEN = "visit-seen"
    VISIT_SYNCHRONISED = "visit-synchronised"
    RECORD_READ = "record-read"
    FACTS_SEEN = "facts-seen"
    FACTS_SAVED = "facts-saved"
    FORM_SEEN = "form-seen"
    FORM_SAVED = "form-saved"
    FORM_SIGNED = "form-signed"
    ANSWERS_SEEN = "answers-seen"
    SUBMITTED = "submitted"
    RECEIPT_SEEN = "receipt-seen"
    LABS_READ = "labs-read"
    LABS_DOWNLOADED = "labs-downloaded"
    RESULT_ASKED = "result-asked"
    RESULT_ANSWERED = "result-answered"
    RESULT_QUESTION_CLOSED = "result-question-closed"
    RESULT_QUESTION_SEEN = "result-question-seen"
    QUALITY_SEEN = "quality-seen"
    MEASURES_SEEN = "measures-seen"
    MEASURES_EXPORTED = "measures-exported"
    CONSENT_SEEN = "consent-seen"
    CONSENT_GIVEN = "consent-given"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    CONSENT_DECIDED = "consent-decided"
    QUEUE_SEEN = "queue-seen"
    SUBMISSION_SEEN = "submission-seen"
    SUBMISSION_TAKEN = "submission-taken"
    SUBMISSION_LET_GO = "submission-let-go"
    PROPOSAL_DECIDED = "proposal-decided"
    SUBMISSION_RETURNED = "submission-returned"
    SUBMISSION_ACCEPTED = "submission-accepted"
    PATIENT_MATCHED = "patient-matched"
    PATIENT_NOT_MATCHED = "patient-not-matched"
    PATIENT_UNTIED = "patient-untied"
    RECORD_MENDED = "record-mended"
    RECORD_CORRECTED = "record-corrected"
    TAKEN_BACK = "taken-back"
    REOPENED = "reopened"
    CANDIDATES_SEEN = "candidates-seen"
    DELIVERY_QUEUED = "delivery-queued"
    DELIVERY_ATTEMPTED = "delivery-attempted"
    DELIVERY_CONFIRMED = "delivery-confirmed"
    DELIVERY_HELD = "delivery-held"
    DELIVERY_RESENT = "delivery-resent"
    DELIVERY_CLOSED = "delivery-closed"
    DELIVERY_WITHHELD = "delivery-withheld"
    DELIVERY_SEEN = "delivery-seen"
    CONNECTION_CHANGED = "connection-changed"
    ASKED_CHANGED = "asked-changed"
    FORM_IMPORTED = "form-imported"
    FORM_ACTIVATED = "form-activated"
    FORM_DEACTIVATED = "form-deactivated"
    TOKEN_OBTAINED = "token-obtained"
    RECORD_CONNECTED = "record-connected"
    RECORD_DISCONNECTED = "record-disconnected"
    LAUNCH_ANSWERED = "launch-answered"
    LAUNCH_REFUSED = "launch-refused"
    EHR_USER_TIED = "ehr-user-tied"
    EHR_USER_UNTIED = "ehr-user-untied"
    WRONG_PATIENT = "wrong-patient"
    PROXY_OFFERED = "proxy-offered"
    PROXY_ACCEPTED = "proxy-accepted"
    PROXY_REVOKED = "proxy-revoked"
    PROXY_GIVEN_UP = "proxy-given-up"
    PROXY_ENDED = "proxy-ended"
    PROXIES_SEEN = "proxies-seen"
    ANSWERING_FOR = "answering-for"
    AUDIT_SEEN = "audit-seen"
    AUDIT_EXPORTED = "audit-exported"
    AUDIT_ASKED = "audit-asked"
    AUDIT_ANSWERED = "audit-answered"
    AUDIT_QUESTION_CLOSED = "audit-question-closed"
    AUDIT_QUESTION_SEEN = "audit-question-seen"
    KEYS_ROTATED = "keys-rotated"
    PATIENT_ERASED = "patient-erased"
    BACKUP_MADE = "backup-made"
    RESTORED = "restored"
    MESSAGE_SENT = "message-sent"
    MESSAGE_FAILED = "message-failed"
    REMINDERS_STOPPED = "reminders-stopped"
    REMINDERS_WANTED = "reminders-wanted"
    EMERGENCY_ASKED = "emergency-asked"
    EMERGENCY_BEGUN = "emergency-begun"
    EMERGENCY_ENDED = "emergency-ended"
    EMERGENCIES_SEEN = "emergencies-seen"
    EMERGENCY_CHECKED = "emergency-checked"


# What a patient reads. "%(who)s" is the person or the system that acted.
PLAIN: dict[Event, str] = {
    Event.JOINED: "%(who)s created this account.",
    Event.SIGNED_IN: "%(who)s signed in.",
    Event.SIGNED_OUT: "%(who)s signed out.",
    Event.PASSWORD_SET: "%(who)s set a password.",
    Event.FACTOR_ADDED: "%(who)s added a second step to signing in.",
    Event.FACTOR_REMOVED: "%(who)s removed a second step of signing in.",
    Event.RECOVERY_CODES_MADE: "%(who)s made new recovery codes.",
    Event.ACCOUNT_SEEN: "%(who)s looked at whether you can sign in.",
    Event.RECOVERY_OFFERED: "%(who)s made a link to get back into this account.",
    Event.RECOVERED: "%(who)s got back into this account with a link from the clinic.",
    Event.INVITED: "%(who)s invited you to prepare a visit.",
    Event.VISIT_SEEN: "%(who)s opened the visit.",
    Event.VISIT_SYNCHRONISED: "%(who)s read your appointment from the clinic's system.",
    Event.RECORD_READ: "%(who)s looked up information in your medical record.",
    Event.FACTS_SEEN: "%(who)s opened what the clinic has on record.",
    Event.FACTS_SAVED: "%(who)s saved answers about what the clinic has on record.",
    Event.FORM_SEEN: "%(who)s opened a form.",
    Event.FORM_SAVED: "%(who)s saved answers in a form.",
    Event.FORM_SIGNED: "%(who)s signed a form.",
    Event.ANSWERS_SEEN: "%(who)s checked all answers.",
    Event.SUBMITTED: "%(who)s sent the answers to the clinic.",
    Event.RECEIPT_SEEN: "%(who)s looked at where the answers are.",
    Event.LABS_READ: "%(who)s opened test results.",
    Event.LABS_DOWNLOADED: "%(who)s downloaded test results.",
    Event.RESULT_ASKED: "%(who)s asked the clinic about a test result.",
    Event.RESULT_ANSWERED: "%(who)s answered a question about a test result.",
    Event.RESULT_QUESTION_CLOSED: "%(who)s closed a question about a test result.",
    Event.RESULT_QUESTION_SEEN: "%(who)s opened a question about a test result.",
    Event.CONSENT_SEEN: "%(who)s opened the choices about what is shared.",
    Event.CONSENT_GIVEN: "%(who)s made choices about what is shared.",
    Event.CONSENT_WITHDRAWN: "%(who)s took back the permission to share.",
    Event.SUBMISSION_SEEN: "%(who)s opened your answers to prepare your visit.",
    Event.PROPOSAL_DECIDED: "%(who)s decided about something you told the clinic.",
    Event.SUBMISSION_RETURNED: "%(who)s asked you to check some answers.",
    Event.SUBMISSION_ACCEPTED: "%(who)s finished going through your answers.",
    Event.PATIENT_MATCHED: "%(who)s connected your account to your medical record.",
    Event.PATIENT_NOT_MATCHED: "%(who)s found no medical record of yours to connect your account to.",
    Event.PATIENT_UNTIED: "%(who)s ended the tie between your account and a medical record that is not yours.",
    Event.RECORD_CORRECTED: "%(who)s had something corrected that had gone to the wrong medical record.",
    Event.RECORD_MENDED: "%(who)s noted that the clinic corrected what had gone to the wrong medical record.",
    Event.TAKEN_BACK: "%(who)s took the answers back.",
    Event.REOPENED: "%(who)s opened the answers again to change them.",
    Event.CANDIDATES_SEEN: "%(who)s looked for your medical record.",
    Event.DELIVERY_ATTEMPTED: "%(who)s sent accepted answers to your medical record.",
    Event.DELIVERY_CONFIRMED: "%(who)s checked that the answers are in your medical record.",
    Event.DELIVERY_HELD: "%(who)s stopped sending because a person has to look at a problem.",
    Event.DELIVERY_RESENT: "%(who)s sent accepted answers again.",
    Event.DELIVERY_CLOSED: "%(who)s dealt with a stopped delivery by hand.",
    Event.DELIVERY_WITHHELD: "%(who)s did not send answers to your medical record, because you chose not to share them.",
    Event.DELIVERY_SEEN: "%(who)s looked at a delivery that was on hold.",
    Event.RECORD_CONNECTED: "%(who)s allowed this site to read the medical record directly.",
    Event.RECORD_DISCONNECTED: "%(who)s ended that permission.",
    Event.LAUNCH_ANSWERED: "%(who)s came here from the clinic's system with this patient open.",
    Event.MESSAGE_SENT: "%(who)s sent you an e-mail.",
    Event.MESSAGE_FAILED: "%(who)s could not send you an e-mail.",
    Event.REMINDERS_STOPPED: "%(who)s stopped reminders.",
    Event.REMINDERS_WANTED: "%(who)s asked for reminders again.",
    Event.EMERGENCY_ASKED: "%(who)s looked at what to do in an emergency. Nothing was opened by that.",
    Event.EMERGENCY_BEGUN: "%(who)s said there was an emergency and opened what you allow in one.",
    Event.EMERGENCY_ENDED: "%(who)s closed what was open for the emergency.",
    Event.EMERGENCY_CHECKED: "%(who)s checked why somebody opened your information in an emergency.",
    Event.AUDIT_ASKED: "%(who)s asked about an entry of this list.",
    Event.AUDIT_ANSWERED: "%(who)s answered a question about this list.",
    Event.AUDIT_QUESTION_CLOSED: "%(who)s closed a question about this list.",
    Event.AUDIT_QUESTION_SEEN: "%(who)s opened a question about this list.",
    Event.PROXY_OFFERED: "%(who)s asked somebody to answer for you.",
    Event.PROXY_ACCEPTED: "%(who)s can answer for you from now on.",
    Event.PROXY_REVOKED: "%(who)s ended somebody's permission to answer for you.",
    Event.PROXY_GIVEN_UP: "%(who)s no longer wants to answer for you.",
    Event.PROXY_ENDED: "%(who)s noted that somebody's time to answer for you is over.",
    Event.PROXIES_SEEN: "%(who)s looked at who may answer for you.",
    Event.ANSWERING_FOR: "%(who)s began to answer for you.",
    Event.ACCESS_DENIED: "%(who)s tried to open something and it was refused.",
}
