"""What the portal saves and where it holds people up, counted for the clinic: sums of many people, nothing about anybody.

Decided: nothing is noted about a patient but the seconds a page took and which questions were changed, sealed with their answers and
erased with them. A "week" is the days 1-7, 8-14, 15-21 or 22 to the month's end, so that no period can be taken from another.
"""
