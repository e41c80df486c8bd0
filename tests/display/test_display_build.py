"""What the wheel ships: small, whole, ours alone, and made from the source beside it."""

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import display_raid as raid
import pytest

STATIC = raid.ROOT / "src" / "opencram" / "display" / "static"
SOURCE = raid.ROOT / "display"


def test_scripts_are_small() -> None:
    assert len(gzip.compress((STATIC / "display.js").read_bytes())) <= 150_000
    assert sum((STATIC / f"public.{kind}").stat().st_size for kind in ("html", "js", "css")) <= 30_000


def test_nothing_is_fetched_from_elsewhere() -> None:
    for name in ("index.html", "public.html", "display.css", "public.css"):
        assert "//" not in re.sub(r"/\*.*?\*/", "", (STATIC / name).read_text(), flags=re.DOTALL)
    assert "http" not in (SOURCE / ".npmrc").read_text()
    assert "resolved" not in (SOURCE / "package-lock.json").read_text()


def test_catalogues_hold_the_same_texts_with_the_same_gaps() -> None:
    held = {lang: json.loads((SOURCE / "src" / "i18n" / f"{lang}.json").read_text()) for lang in ("en", "fr", "ar")}
    plural = re.compile(r"\.(zero|one|two|few|many|other)$")
    bare = {lang: {plural.sub("", key) for key in texts} for lang, texts in held.items()}
    assert bare["en"] == bare["fr"] == bare["ar"]
    for key, text in held["en"].items():
        if plural.search(key):
            continue
        gaps = set(re.findall(r"\{\w+\}", text))
        assert all(set(re.findall(r"\{\w+\}", held[lang][key])) == gaps for lang in ("fr", "ar")), key
    for stem in {plural.sub("", key) for key in held["en"] if plural.search(key)}:
        assert all(f"{stem}.{form}" in held["ar"] for form in ("zero", "one", "two", "few", "many", "other"))


@pytest.mark.skipif(
    not (shutil.which("node") and (SOURCE / "node_modules" / "esbuild").is_dir()), reason="no node or no node_modules"
)
def test_the_wheel_ships_what_the_source_makes(tmp_path: Path) -> None:
    subprocess.run(["node", str(SOURCE / "build.mjs"), str(tmp_path)], check=True, capture_output=True, timeout=120)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    shipped = {path.name: path.read_bytes() for path in STATIC.iterdir()}
    assert sorted(made) == sorted(shipped)
    assert [name for name in made if made[name] != shipped[name]] == []
