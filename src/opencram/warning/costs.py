"""The probability at which a warning is just worth its cost."""

THRESHOLD_MIN, THRESHOLD_MAX = 0.002, 0.5


def threshold_of(harmed_share: float, missed_casualty_min: float, needless_alarm_min: float) -> float:
    """Return the probability p of a round in a zone at which warning and not warning cost the same.

    A person who shelters for nothing loses `needless_alarm_min` minutes (fatigue included); if a round comes,
    `harmed_share` of the people is harmed unless warned, each worth `missed_casualty_min` minutes:
    (1 − p) needless = p harmed × missed.  Kept within 0.002 and 0.5.
    """
    gain_min = harmed_share * missed_casualty_min
    return min(max(needless_alarm_min / (needless_alarm_min + gain_min), THRESHOLD_MIN), THRESHOLD_MAX)
