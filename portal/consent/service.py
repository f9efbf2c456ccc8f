"""What other rooms may ask of consent: the choices, what holds, and the one gate for every page, list and delivery."""

from portal.consent.choosing import (
    Given,
    Row,
    TaskState,
    Version,
    current,
    give,
    history,
    resource_for_delivery,
    sheet_for,
    task_state,
    version,
    withdraw,
)
from portal.consent.decision import Decision, Policy
from portal.consent.filed import owner
from portal.consent.gate import POLICIES, in_force, may_send, permits, redacted, shows_results, visible, would_permit
from portal.consent.sharing import contradictions, sent, who_sees
from portal.consent.superseding import superseded
from portal.delivery.tools import Passage

__all__ = [
    "POLICIES",
    "Decision",
    "Given",
    "Passage",
    "Policy",
    "Row",
    "TaskState",
    "Version",
    "contradictions",
    "current",
    "give",
    "history",
    "in_force",
    "may_send",
    "owner",
    "permits",
    "redacted",
    "resource_for_delivery",
    "sent",
    "sheet_for",
    "shows_results",
    "superseded",
    "task_state",
    "version",
    "visible",
    "who_sees",
    "withdraw",
    "would_permit",
]
