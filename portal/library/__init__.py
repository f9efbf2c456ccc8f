"""The clinic's form library: forms in their versions, which are asked before which visits, and the answers their lists offer.

Decided: forms live in the database, version by version, byte for byte. A version never changes; what is asked is a list of decisions. A
draft stays with its version, or moves over when the administrator says so: unchanged questions keep their answers, changed ones are asked
again, nothing typed is dropped. A patient's page never asks a terminology server; the worker keeps expansions with their date. Forms of
FHIR STU3 and R5 are read as the R4 form they say; the file is kept as it came. A form that says it complies with another is held to it
where that one is at hand.
"""
