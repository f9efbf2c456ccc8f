"""What a patient does before a visit: confirm, answer, choose, check, send; and where it all is.

Decided: two tabs are merged per question (what was shown, what is stored, what was typed) rather than by a page version: only a question
that was changed in both places is asked about. What was confirmed lately is not asked again: only what was sent and stands counts, a
confirmation of a confirmation is no younger than the first, visits within a week ask once; medicines and allergies are always confirmed
one by one. A signature is a typed name bound to what was signed: the words as shown, a digest of the answers, account and time; its
salted fingerprint stands in the audit chain. It proves that nothing was changed since, not who sat at the keyboard. What a patient has
opened stays evaluated in the serving process for ten minutes, one owner at a time, recognised by the draft's version; it rests sealed in
the database only, and the keys are in the same memory, so holding it opens nothing new. A form page is drawn once for nobody, with gaps
for whatever is one person's own; the gaps are filled for each reader.

Each side of an insurance card is a DocumentReference of its own (LOINC 64290-0, context.related = the Coverage, Provenance, in the same
transaction): R4 takes several contents of one document for other formats of the same thing. The picture travels inside it: a Binary has
no identifier, so nothing could make it exactly once. A newer picture says that it replaces the old one, which becomes superseded and
stays readable. It is drawn anew as a JPEG of at most 1,600 dots, without what the camera wrote beside it, and stored the moment it comes,
so that a page that is refused loses none; what belongs to nothing when the answers are sent is deleted. What an earlier round added is
corrected in its own entry: opened again after it arrived, the same thing told otherwise changes only what the patient's words go into, on
the version that was read; what the clinic decided about it since stays.
"""
