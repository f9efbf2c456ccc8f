"""Delivery: what staff accepted reaches the clinic's record once, is read back, and is told truthfully until then."""
