"""A synthetic clinic to try and test the portal on: a small FHIR R4 server with SMART, its own process and database.

What it is not: a certified or complete server, a terminology server, a place for real people's data. It has no
profiles, no chained search, no `_has`, no PATCH, no subscriptions, no XML. Everything it holds is invented.

Why it was written: HAPI's JPA starter is the full thing but wants Java and a gigabyte; `@medplum/fhir-router` has no
paging links and nothing persists; sekmet-fhir has no search parameters for QuestionnaireResponse (so a conditional create
of one fails) and stumbles over a JWKS with keys of two kinds. A portal that must deliver exactly once needs a partner
that pages, rolls back, checks versions, keeps decimals, checks assertions, and can lose a reply on command.

It knows nothing of the portal and uses only `portal.fhir`.
"""
