"""The administrator's pages about forms: bring one in, read its check report, try it as a patient, decide who is asked."""
