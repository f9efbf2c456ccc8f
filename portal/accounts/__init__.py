"""Clinics, patients, accounts, invitations and sign-in."""
