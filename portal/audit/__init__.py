"""One row per event in the caller's transaction, hash-chained; the patient's "who looked" and the staff's search."""
