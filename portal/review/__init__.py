"""The staff desk: queue, matching, proposals, decisions, hold, ask back.

Decided: what a form extracts is the patient's own report until somebody decides: subject, source and "unconfirmed" are set here. Whose
word counts accepts nothing by itself: it decides what may be accepted together, and is named on the card. "I did not have this" becomes
entered-in-error only when a clinician accepts it; another insurer is a new Coverage in draft. Staff may accept in other words: the same
rules hold, both wordings are kept, the patient is told, Provenance names who said and who worded it. A submission is taken by one, and
taken over openly; even without that, every decision is compared with what was on the screen. Who a person could be is asked of the
clinic's own $match where it offers it, and by up to seven searches besides; only our rules tie, and only when nobody else is possible; a
merged record is followed only by a person. Records to correct are seen by the privacy officer (a wrong record is an incident of privacy),
not by the auditor. That something needs a clinician today is never kept from staff; what it is about follows the patient's consent.

Accepting together is by allow-list: a deny-list forgets what nobody thought of (a new kind of proposal, a new instrument, another way to
be unsure), so `Proposal.alone` says by default "decided by itself", and only together.py can lift that. The price is some more single
decisions in an ordinary intake (one key each); the rules are the clinic's to widen, as data: `results` in the file of attention rules. A
code stays only while its words stay; totals are nobody's to word; answers themselves are never touched. What went to a wrong record is
corrected only while it is still exactly as we left it (If-Match), once, through the outbox with Provenance; never a delete.
"""
