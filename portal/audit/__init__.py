"""One row per event in the caller's transaction, hash-chained; the patient's "who looked" and the staff's search.

Decided: the trail is verified by one file without the portal (verifier.py), the same code that makes the chain, so the two cannot drift.
A restore is signed: what was signed beyond the backup stops counting, so a rollback nobody signed still shows.
"""
