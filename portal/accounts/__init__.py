"""Clinics, patients, accounts, invitations and sign-in.

Decided: Flask-Login, argon2-cffi and our own session table rather than Flask-Security, whose sign-in, session and recovery views bring
routes and state of their own; here every route belongs to a room with one kind of visitor, every row to a clinic and a sealed owner.
A passkey is both factors, a code is one: passkeys verify their owner; recovery codes only go with the password. A way back is never
weaker than the way in: link, code by another channel, birth date, half an hour. A list of words and how they are bent, instead of a
list of passwords: nothing copied; every ending, doubling and reversal is refused. An invitation is a link, a code and the date of birth:
the link may go by e-mail; the code is said, or printed and handed over. The door does the same for nobody as for somebody; that guessing
has shut an account is noticed by the worker. Whoever owns an account is written to when something changes about its way in; such a
message has no link. A second factor for patients stays offered (a clinic may require it): an old shared telephone must not keep somebody
from telling their clinic. A helper's link has no code beside it: whoever made it hands it over, so a code would go the same way.
For whom somebody answers is bound to the page, not only to the session: an address that names a visit is its patient's; every other form
carries its own subject and is refused when it is not the session's, so two tabs for two children cannot cross. Whoever answers proves
their own date of birth, never the patient's, which every parent and ex-partner knows.
"""
