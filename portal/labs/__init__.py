"""Test results: what the clinic's laboratory reported, word for word, made readable."""
