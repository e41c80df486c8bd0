"""The doctor finds what is wrong, says what to do, and its alarm cannot be taken for a real one."""

import asyncio
import json
import os
import socket
import threading
import time
from pathlib import Path

import pytest

from opencram.adapters.cap_check import check
from opencram.adapters.times import rfc3339
from opencram.cli import main
from opencram.config.site import load_site
from opencram.runtime.doctor import TEST_ZONE, certificate_of, disk, feeds, trial_alarm

SITE = Path(__file__).resolve().parents[2] / "examples" / "mortars" / "site.toml"


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def site_file(folder: Path, port: int, more: str = "") -> Path:
    path = folder / "site.toml"
    feed = f'[[feed]]\nname = "radar"\nformat = "ndjson"\nudp = "127.0.0.1:{port}"\n'
    outlet = '[[outlet]]\nname = "files"\nkind = "cap-directory"\nfolder = "cap"\n'
    path.write_text(f"{SITE.read_text()}\n{feed}\n{outlet}\n{more}")
    return path


class Radar:
    """Sends plots of the site's first sensor until it is closed."""

    def __init__(self, port: int, sensor: str, behind_s: float = 0.0) -> None:
        self._over = threading.Event()
        self._to = ("127.0.0.1", port)
        self._sensor, self._behind_s = sensor, behind_s
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            while not self._over.wait(0.02):
                t_ns = time.time_ns() - round(self._behind_s * 1e9)
                plot = {"type": "plot", "time": rfc3339(t_ns), "sensor": self._sensor, "range_m": 1000.0}
                plot |= {"azimuth_deg": t_ns // 1000 % 360, "elevation_deg": 10.0}
                out.sendto(json.dumps(plot).encode() + b"\n", self._to)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def test_a_site_that_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    path = site_file(tmp_path, port)
    with Radar(port, load_site(path).sensors[0].id):
        main(["doctor", str(path), "--seconds", "0.6", "--alarm", "--json"])
    found = {f["part"]: f for f in json.loads(capsys.readouterr().out)["findings"] if f["part"] != "clock"}
    assert found["feed radar"]["state"] == "ok", found
    assert found["disk"]["state"] in ("ok", "note", "fault")  # as this machine is
    assert "test alarm" in found["outlet files"]["what"]
    written = sorted((tmp_path / "cap").iterdir())
    assert len(written) == 2
    for each in written:
        text = each.read_text()
        assert "<status>Test</status>" in text
        assert "TEST ONLY, NO DANGER" in text
        assert TEST_ZONE in text
    assert not (tmp_path / "log" / ".doctor").exists()


def test_the_test_alarm_keeps_the_rules_and_names_no_zone_of_the_site(tmp_path: Path) -> None:
    site = load_site(site_file(tmp_path, 1, '[cap]\nstatus = "Actual"\nlanguages = ["en", "fr", "ar"]\n'))
    earlier: list[bytes] = []
    for message in trial_alarm(site, tmp_path):
        assert check(message.xml, earlier=earlier) == []
        assert b"Actual" not in message.xml
        earlier.append(message.xml)
        assert not any(f">{zone.id}<".encode() in message.xml for zone in site.zones)


def test_a_silent_feed_a_late_one_and_one_that_is_taken(tmp_path: Path) -> None:
    port = free_port()
    site = load_site(site_file(tmp_path, port))
    (found,) = asyncio.run(feeds(site, tmp_path, 0.1))
    assert (found.state, "firewall" in found.remedy) == ("fault", True)
    with Radar(port, site.sensors[0].id, behind_s=3.0):
        late = asyncio.run(feeds(site, tmp_path, 0.6))
    assert any("late" in f.what or "degraded" in f.what for f in late if f.state == "fault"), late
    with Radar(port, "nobody"):
        unknown = asyncio.run(feeds(site, tmp_path, 0.4))
    assert unknown[0].state == "fault"
    assert "unknown_sensor" in unknown[0].what
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", port))
        (found,) = asyncio.run(feeds(site, tmp_path, 0.1))
    assert "cannot listen" in found.what


def test_a_csv_feed_is_read_with_its_own_column_map(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(
        '[csv]\ndelimiter = ";"\nsensor = "mast"\n[time]\ncolumn = "t"\nunit = "epoch_s"\n[range_m]\ncolumn = "r"\n'
        '[azimuth_deg]\ncolumn = "az"\n[elevation_deg]\ncolumn = "el"\n'
    )
    os.mkfifo(tmp_path / "plots")
    feed = f'\n[[feed]]\nname = "in"\nformat = "csv"\nfile = "{tmp_path / "plots"}"\ncolumns = "map.toml"\n'
    (tmp_path / "site.toml").write_text(SITE.read_text() + feed)
    site = load_site(tmp_path / "site.toml")
    assert [sensor.id for sensor in site.sensors] == ["mast"]
    with (tmp_path / "plots").open("rb+", buffering=0) as pipe:
        pipe.write(
            b"t;r;az;el\n" + b"".join(b"%.3f;3000;90;%d\n" % (time.time() - 0.01 * k, 30 + k) for k in (3, 2, 1))
        )
        found = asyncio.run(feeds(site, tmp_path, 0.3))
    assert found[0].state == "ok", found
    assert found[0].what.startswith("3 plots")


def test_secrets_that_others_can_read_and_outlets_that_do_not_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "hook.key"
    secret.write_text("a key")
    secret.chmod(0o644)
    outlet = '[[outlet]]\nname = "hook"\nkind = "webhook"\nurl = "http://127.0.0.1:9/"\nsecret_file = "hook.key"\n'
    path = site_file(tmp_path, free_port(), outlet)
    assert main(["doctor", str(path), "--seconds", "0.05", "--alarm"]) != 0
    told = capsys.readouterr().err
    assert "can be read by others" in told
    assert f"chmod 600 {secret}" in told
    assert "FAULT outlet hook" in told


def test_certificates_and_the_disk(tmp_path: Path) -> None:
    wrong = tmp_path / "a.pem"
    wrong.write_text("no certificate")
    assert certificate_of("http", wrong, None)[0].state == "fault"
    (tmp_path / "file").write_text("")
    assert disk(tmp_path / "file" / "log")[0].state == "fault"
    if os.geteuid():
        tmp_path.chmod(0o500)
        assert disk(tmp_path / "log")[0].state == "fault"
        tmp_path.chmod(0o700)
