"""Previsit: a pre-visit intake patient portal."""
