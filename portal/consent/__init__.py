"""Choices a patient makes about sharing, kept as FHIR Consent versions, and the decision that makes them bite."""
