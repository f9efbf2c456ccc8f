"""R4 words over raw FHIR JSON: exact JSON, codes, values, resources, bundles. Pure."""
