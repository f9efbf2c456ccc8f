from portal.measures import days


def test_x(clinic_with_a_past):
    for day, counts in days.counted_days(clinic_with_a_past.clinic_id).items():
        print(day, counts)
