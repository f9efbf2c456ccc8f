"""Test results: what the clinic's laboratory reported, word for word, made readable.

Decided: a print page instead of a PDF library: every browser saves it as a PDF with the patient's own fonts; a generator would need
system libraries and a second layout that could drift. A document of a result is handed over, never opened here: its first bytes say what
it is, a page of HTML becomes its plain text, and a Binary is taken only from the clinic's own server and only when nothing says it is
somebody else's.
"""
