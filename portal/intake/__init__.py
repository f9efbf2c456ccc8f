"""What a patient does before a visit: confirm, answer, choose, check, send; and where it all is."""
