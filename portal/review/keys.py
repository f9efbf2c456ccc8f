"""The keys of the desk, as the help page lists them; static/js/desk.js does what they say (a test holds the two together)."""

EVERYWHERE = (
    ("?", "This page"),
    ("j", "The next one: a row of the queue, or something to decide"),
    ("k", "The one before"),
)
ON_A_SUBMISSION = (
    ("a", "Accept the one you are at"),
    ("e", "Accept it in other words: goes to the box"),
    ("r", "Reject it: goes to the reason"),
    ("q", "Ask the patient: goes to the question"),
    ("b", "Go to the button that accepts what needs no closer look"),
    ("f", "Go to the button that finishes"),
    ("t", "Go to the button that takes it"),
)
TABLES = (("At the desk", EVERYWHERE), ("On what somebody sent", ON_A_SUBMISSION))
