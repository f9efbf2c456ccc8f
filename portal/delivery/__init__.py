"""Delivery: what staff accepted reaches the clinic's record once, is read back, and is told truthfully until then.

Decided: differences between servers are data (what they declare, answer and grant), never a vendor's name. Before anything is sent the
Patient is read: a merged, inactive or missing record is held for a person and never followed. A withdrawal of consent is delivered
without staff: it is the patient's right, and can only end our own Consents and file the refusal.
"""
