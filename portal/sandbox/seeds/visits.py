"""Appointments around today: one some weeks ago, yesterday, today, tomorrow and in five days. Every day the clinic starts, it has some."""

from __future__ import annotations

from portal.sandbox.seeds.chart import visit
from portal.sandbox.seeds.pieces import Days, Resource

# who, days from today, time (UTC), service, status
BOOK = (
    ("kwame-mensah", -40, "15:30", "followup", "fulfilled"),
    ("mai-tran", -1, "14:30", "followup", "fulfilled"),
    ("maria-garcia-b", -1, "16:00", "checkup", "noshow"),
    ("noah-bennett", 0, "20:00", "child", "booked"),
    ("mei-chen", 0, "21:00", "followup", "booked"),
    ("ana-morales", 1, "15:00", "checkup", "booked"),
    ("kwame-mensah", 1, "15:30", "followup", "booked"),
    ("robert-hughes", 1, "16:00", "checkup", "booked"),
    ("fatima-sayed", 1, "16:30", "checkup", "booked"),
    ("maria-garcia-a", 1, "17:00", "followup", "booked"),
    ("alex-nowak", 1, "18:00", "followup", "cancelled"),
    ("lucia-ortega", 5, "15:00", "followup", "booked"),
    ("grace-bennett", 5, "16:00", "followup", "booked"),
    ("oliver-lindqvist", 5, "17:30", "checkup", "booked"),
    ("priya-raman", 5, "18:00", "followup", "booked"),
    ("maria-garcia-b", 5, "19:00", "checkup", "booked"),
    ("mai-tran", 27, "14:30", "followup", "booked"),
)


def visits(days: Days) -> list[Resource]:
    """The appointment book as it looks on a day."""
    return [visit(who, days, offset, time, service, state) for who, offset, time, service, state in BOOK]
