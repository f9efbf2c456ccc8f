"""Tests of the FHIRPath engine: public suites, hostile expressions, properties, a benchmark."""
