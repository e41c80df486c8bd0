"""The story of one round: every stage of it is told, at its time, in each language; a foreign track tells nothing."""

import pytest

from opencram.config.site import parse_site
from opencram.messages import Decision, Engagement, Impact, Message, PlaceThreat, Threat, Track, Warning
from opencram.report.explain import LANGUAGES, Line, outcome_of, story, told
from opencram.report.outcomes import is_inside

S = 1_000_000_000
T0 = 1_767_225_600 * S
SITE = """
[site]
name = "here"
latitude_deg = 33.3
longitude_deg = 44.4
height_m = 35.0
ground_height_m = 35.0
[[sensor]]
id = "radar"
latitude_deg = 33.3
longitude_deg = 44.4
height_m = 35.0
range_std_m = 10.0
azimuth_std_mrad = 1.0
elevation_std_mrad = 1.0
range_max_m = 20000.0
period_s = 0.1
[[asset]]
id = "compound"
polygon = [[44.398, 33.298], [44.402, 33.298], [44.402, 33.302], [44.398, 33.302]]
"""


def engagement() -> Engagement:
    return Engagement(
        t_ns=T0 + 11 * S,
        engagement_id=1,
        track_id=3,
        effector="gun-1",
        state="fired",
        rounds=120,
        fire_t_ns=T0 + 11 * S,
        intercept_t_ns=T0 + 13 * S,
        intercept_enu_m=(0.0, 0.0, 500.0),
        kill_probability=0.48,
    )


def messages() -> list[Message]:
    track = Track(
        t_ns=T0 + 7 * S,
        track_id=3,
        status="confirmed",
        position_enu_m=(5000.0, 0.0, 900.0),
        velocity_enu_m_s=(-200.0, 0.0, 0.0),
        position_m_std=5.0,
        classes=(("rocket", 0.93), ("aircraft", 0.02)),
        plots=12,
        first_t_ns=T0 + 6 * S,
        updated_t_ns=T0 + 7 * S,
    )
    impact = Impact(
        t_ns=T0 + 8 * S,
        track_id=3,
        position_enu_m=(60.0, -80.0, 0.0),
        covariance_enu_m2=(100.0, 0.0, 400.0),
        latitude_deg=33.3,
        longitude_deg=44.4,
        impact_t_ns=T0 + 33 * S,
        impact_time_s_std=0.2,
        impact_velocity_enu_m_s=(-200.0, 0.0, -100.0),
        projectile_probability=0.95,
        components=(),
        path_enu_m=(),
    )
    place = PlaceThreat(kind="asset", place="compound", probability=0.94, distance_m=0.0, clearance_m=0.0, people=0)
    threat = Threat(
        t_ns=T0 + 8 * S,
        track_id=3,
        impact_t_ns=T0 + 33 * S,
        impact_time_s_std=0.2,
        hazard_radius_m=50.0,
        places=(place,),
        expected_exposed=2.5,
    )
    alarm = Warning(
        t_ns=T0 + 9 * S,
        alarm_id=1,
        zone="z44",
        state="issued",
        probability=0.4,
        impact_t_ns=T0 + 33 * S,
        seconds_left=24.0,
        advice="shelter",
        track_ids=(3, 4),
        expires_t_ns=T0 + 99 * S,
        reason="",
    )
    decision = Decision(
        t_ns=T0 + 10 * S,
        track_id=3,
        action="engage",
        asset="compound",
        probability=0.94,
        effector="gun-1",
        code="in_window",
        reason="engage: 94 % at the compound",
        reasons=(("fr", "engager : 94 %"), ("ar", "اشتباك")),
    )
    return [track, impact, threat, alarm, decision, engagement()]


def test_the_story_names_every_stage_with_its_time() -> None:
    lines = story(messages(), 3)
    assert [line.key for line in lines] == [
        "seen", "status", "impact", "warning", "decision", "known", "engagement",
    ]  # fmt: skip
    became = Line(T0, "truth", {"said": "hit inside", "people": "0.0"})
    text = "\n".join(told([*lines, became], 3))
    assert "lands 100 m from the site's centre" in text
    assert "give or take 20 m" in text
    assert "known then: 94.0 % at compound; impact 23.0 s away" in text
    assert "00:00:10.0  engage [in_window]: engage: 94 % at the compound" in text
    assert "in truth: hit inside" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_tells_as_much(language: str) -> None:
    lines = story(messages(), 3, language)
    assert len(told(lines, 3, language)) == len(told(story(messages(), 3), 3))
    reason = {"en": "engage: 94", "fr": "engager : 94", "ar": "اشتباك"}[language]
    assert any(reason in line for line in told(lines, 3, language))


def test_a_track_that_is_not_there_has_no_story() -> None:
    assert story(messages(), 5) == []


def test_inside_and_outside_the_fence() -> None:
    fence = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))
    assert is_inside((0.2, -0.3), fence)
    assert not is_inside((1.2, 0.0), fence)


def test_what_became_of_the_round_is_told_where_a_simulation_left_it_and_in_words_of_the_language() -> None:
    site = parse_site(SITE, "test")
    flown = {
        "name": "1",
        "fate": "impact",
        "impact_enu_m": [55.0, -70.0, 0.0],
        "impact_time": "2026-01-01T00:00:33Z",
        "unengaged_impact_enu_m": [55.0, -70.0, 0.0],
        "debris": [],
    }
    truth = {"rounds": [flown], "engagements": [], "own_debris": []}
    became = outcome_of(messages(), site, truth, 3)
    assert became is not None
    assert became.values["said"] == "hit inside"
    assert outcome_of(messages(), site, truth, 4) is None
    assert outcome_of(messages(), site, {"rounds": []}, 3) is None
    lines = [*story(messages(), 3, "fr"), became]
    french = "\n".join(told(lines, 3, "fr"))
    assert "tombé à l’intérieur" in french
    for english in ("confirmed", "rocket", "engage [", "fired", "shelter"):
        assert english not in french, english
