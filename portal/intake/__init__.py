"""What a patient does before a visit: confirm, answer, choose, check, send; and where it all is.

Decided: two tabs are merged per question (what was shown, what is stored, what was typed) rather than by a page version: only a question
that was changed in both places is asked about. What was confirmed lately is not asked again: only what was sent and stands counts, a
confirmation of a confirmation is no younger than the first, visits within a week ask once; medicines and allergies are always confirmed
one by one. A signature is a typed name bound to what was signed: the words as shown, a digest of the answers, account and time; its
salted fingerprint stands in the audit chain. It proves that nothing was changed since, not who sat at the keyboard. What a patient has
opened stays evaluated in the serving process for ten minutes, one owner at a time, recognised by the draft's version; it rests sealed in
the database only, and the keys are in the same memory, so holding it opens nothing new. A form page is drawn once for nobody, with gaps
for whatever is one person's own; the gaps are filled for each reader.
"""
