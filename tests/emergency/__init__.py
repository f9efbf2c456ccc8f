"""Break-glass: a clinician opens what a patient allows in an emergency, with a reason, for a short time; it is checked afterwards."""
