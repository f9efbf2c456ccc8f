"""Break-glass: a clinician opens what a patient allows in an emergency, with a reason, for a short time; it is checked afterwards.

Decided: it opens what the patient allows in an emergency, and nothing else: "only in an emergency" is one of the choices. It needs a
reason, lasts an hour, is about one patient in one session, is told to them with the reason, and the privacy officer checks it.
"""
