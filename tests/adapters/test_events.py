"""Events as the formats promise them: pinned line by line."""

import json
import math
import random

import msgspec
import pytest

from opencram.adapters.events import encode_events, event
from opencram.messages import (
    Association,
    Decision,
    Engagement,
    Header,
    Health,
    Impact,
    ImpactComponent,
    Plot,
    Rejected,
    Threat,
    Tick,
    Track,
    Warning,
)

T = 1_767_225_607_300_000_000  # 2026-01-01T00:00:07.3Z

TRACK = Track(
    t_ns=T,
    track_id=3,
    status="confirmed",
    position_enu_m=(1234.56789, -2.00001, 500.0),
    velocity_enu_m_s=(-210.12345, 0.00001, -0.00001),
    position_m_std=12.34567,
    classes=(("rocket", 0.93123456), ("mortar", 0.05), ("aircraft", 1.23456789e-9)),
    plots=41,
    first_t_ns=T,
    updated_t_ns=T,
)
IMPACT = Impact(
    t_ns=T,
    track_id=3,
    position_enu_m=(-73.25, 12.5, 0.0),
    covariance_enu_m2=(400.5, -12.25, 100.0),
    latitude_deg=33.30012345678,
    longitude_deg=44.3992,
    impact_t_ns=T + 12_345_678_901,
    impact_time_s_std=0.21,
    impact_velocity_enu_m_s=(-150.0, 20.0, -180.0),
    projectile_probability=0.98,
    components=(
        ImpactComponent(
            class_name="rocket",
            probability=1.0,
            east_m=0.0,
            north_m=0.0,
            covariance_m2=(1.0, 0.0, 1.0),
            impact_time_s_std=0.2,
            time_covariance_m_s=(0.0, 0.0),
        ),
    ),
    path_enu_m=((0.0, 0.0, 0.0),),
)
WARNING = Warning(
    t_ns=T,
    alarm_id=2,
    zone="karrada-3",
    state="issued",
    probability=0.7123456789,
    impact_t_ns=T + 10**10,
    seconds_left=10.0,
    advice="drop",
    track_ids=(3, 5),
    expires_t_ns=T + 610 * 10**9,
    reason="a rocket lands here with 71 %",
)
DECISION = Decision(
    t_ns=T,
    track_id=3,
    action="ignore",
    asset=None,
    probability=0.004,
    effector=None,
    code="below_threshold",
    reason='99.6 % sure to land outside the "compound"',
)
ENGAGEMENT = Engagement(
    t_ns=T,
    engagement_id=1,
    track_id=3,
    effector="gun-1",
    state="fired",
    rounds=75,
    fire_t_ns=T,
    intercept_t_ns=T + 10**9,
    intercept_enu_m=(1.0, 2.0, 3.0),
    kill_probability=0.5,
)

EXPECTED = [
    (
        TRACK,
        '{"type":"track","time":"2026-01-01T00:00:07.300000Z","track":3,"status":"confirmed",'
        '"position_enu_m":[1234.568,-2.0,500.0],"velocity_enu_m_s":[-210.123,0.0,0.0],'
        '"classes":{"rocket":0.931235,"mortar":0.05,"aircraft":1.23457e-9},"plots":41,"position_std_m":12.346}',
    ),
    (
        IMPACT,
        '{"type":"impact","time":"2026-01-01T00:00:07.300000Z","track":3,"latitude_deg":33.3001235,'
        '"longitude_deg":44.3992,"position_enu_m":[-73.25,12.5,0.0],"covariance_enu_m2":[[400.5,-12.25],[-12.25,100.0]],'
        '"impact_time":"2026-01-01T00:00:19.645678Z","impact_time_std_s":0.21,'
        '"impact_velocity_enu_m_s":[-150.0,20.0,-180.0],"projectile_probability":0.98}',
    ),
    (
        WARNING,
        '{"type":"warning","time":"2026-01-01T00:00:07.300000Z","zone":"karrada-3","state":"issued",'
        '"probability":0.712346,"impact_time":"2026-01-01T00:00:17.300000Z","advice":"drop","tracks":[3,5],"alarm":2,'
        '"seconds_left":10.0,"expires":"2026-01-01T00:10:17.300000Z","reason":"a rocket lands here with 71 %"}',
    ),
    (
        DECISION,
        '{"type":"decision","time":"2026-01-01T00:00:07.300000Z","track":3,"action":"ignore","asset":null,'
        '"probability":0.004,"reason":"99.6 % sure to land outside the \\"compound\\"","code":"below_threshold",'
        '"effector":null}',
    ),
    (
        Rejected(t_ns=T, reason="range_m is -1", code="range", line=812, sensor="north"),
        '{"type":"rejected","time":"2026-01-01T00:00:07.300000Z","line":812,"reason":"range_m is -1","code":"range",'
        '"sensor":"north"}',
    ),
    (
        ENGAGEMENT,
        '{"type":"engagement","time":"2026-01-01T00:00:07.300000Z","engagement":1,"track":3,"effector":"gun-1",'
        '"state":"fired","rounds":75,"fire_time":"2026-01-01T00:00:07.300000Z",'
        '"intercept_time":"2026-01-01T00:00:08.300000Z","intercept_enu_m":[1.0,2.0,3.0],"kill_probability":0.5}',
    ),
    (
        Health(t_ns=T, part="sensor:north", state="lost", reason="no plot for 5 s"),
        '{"type":"health","time":"2026-01-01T00:00:07.300000Z","part":"sensor:north","state":"lost",'
        '"reason":"no plot for 5 s"}',
    ),
]


@pytest.mark.parametrize(("message", "text"), EXPECTED, ids=lambda v: type(v).__name__)
def test_each_event_is_written_as_promised(message, text):
    assert encode_events([message]).decode() == text + "\n"
    # The same with other means: what `event` gives is what is written.
    assert json.loads(json.dumps(event(message))) == json.loads(text)


def test_inner_messages_give_no_event():
    inner = [
        Plot(t_ns=T, plot_id=1, sensor="north", range_m=1.0, azimuth_rad=0.0, elevation_rad=0.0),
        Tick(t_ns=T),
        Association(t_ns=T, sensor="north", plot_ids=(1,), track_ids=(0,)),
        Threat(
            t_ns=T,
            track_id=1,
            impact_t_ns=T,
            impact_time_s_std=0.1,
            hazard_radius_m=50.0,
            places=(),
            expected_exposed=0.0,
        ),
        Header(
            t_ns=T,
            schema_version=1,
            program_version="0",
            commit="",
            site_name="",
            site_sha256="",
            site_toml="",
            source="process",
        ),
    ]
    assert [event(message) for message in inner] == [None] * 5
    assert encode_events(inner) == b""
    assert encode_events([]) == b""
    assert encode_events([inner[0], TRACK, inner[1], IMPACT]).count(b"\n") == 2


def test_what_is_not_finite_is_null_never_nan():
    odd = [
        msgspec.structs.replace(TRACK, position_enu_m=(math.nan, math.inf, 1e300), position_m_std=math.nan),
        msgspec.structs.replace(
            IMPACT, covariance_enu_m2=(math.inf, math.nan, 1e-310), latitude_deg=math.nan, impact_t_ns=10**30
        ),
        msgspec.structs.replace(WARNING, probability=math.nan, impact_t_ns=0, seconds_left=-math.inf),
    ]
    text = encode_events(odd).decode()
    track, impact, warning = map(json.loads, text.splitlines())
    assert "NaN" not in text
    assert "Infinity" not in text
    assert track["position_enu_m"] == [None, None, 1e300]
    assert impact["covariance_enu_m2"] == [[None, None], [None, 0.0]]
    assert warning["impact_time"] is None
    assert warning["seconds_left"] is None


def test_numbers_are_rounded_as_their_decimal_digits_say():
    """The quick way by an integer gives the very double that rounding the digits gives: ties and tiny ones too."""
    chance = random.Random(6)
    mantissas = (1.0, 0.9999995, 1.0000005, 1.2345675, 1.2345665, 123456.5, 2.5)
    values = [sign * m * 10.0**e for e in range(-24, 24) for m in mantissas for sign in (1.0, -1.0)]
    values += [chance.uniform(-1.0, 1.0) * 10.0 ** chance.uniform(-20.0, 14.0) for _ in range(20_000)]
    values += [round(chance.random(), 7) * 10.0 ** chance.randint(-4, 8) for _ in range(5_000)] + [0.0, -0.0]
    for value in values:
        told = event(msgspec.structs.replace(IMPACT, projectile_probability=value, latitude_deg=value))
        tidy = float(f"{value:.6g}") if abs(value) >= 1e-300 else 0.0
        assert repr(told["projectile_probability"]) == repr(tidy), value
        assert repr(told["latitude_deg"]) == repr(round(value, 7) + 0.0), value
