"""Colours of the map, as the stylesheet has them: contrast, and more urgent is more salient in grey."""

import re

import display_raid as raid
import pytest

STYLE = (raid.ROOT / "display" / "src" / "style.css").read_text()
THEMES = {"dark": ":root", "light": '[data-theme="light"]', "contrast": '[data-theme="contrast"]'}
MARKS = ("zone", "ring", "asset", "effector", "alarm", "confirmed", "tentative", "stale", "halo", "text", "muted")
COUNTRY = ("ground", "water", "green", "building", "street", "road")
Rgb = tuple[float, float, float]


def palette(theme: str) -> dict[str, str]:
    """The colours of a theme; what it does not say is as in the dark one."""
    found: dict[str, str] = {}
    for selector in dict.fromkeys((":root", THEMES[theme])):
        block = STYLE[STYLE.index(f"\n{selector} {{") :].split("}", 1)[0]
        found |= dict(re.findall(r"--([\w-]+):\s*(#\w{6}|rgb\([^)]+\))", block))
    return found


def opaque(colour: str, under: Rgb = (0.0, 0.0, 0.0)) -> Rgb:
    """A colour over another, in parts of 255."""
    if colour.startswith("#"):
        return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
    red, green, blue, percent = map(float, re.findall(r"[\d.]+", colour))
    share = percent / 100.0
    return tuple(share * c + (1.0 - share) * u for c, u in zip((red, green, blue), under, strict=True))  # type: ignore[return-value]


def luminance(colour: Rgb) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [c / 255.0 for c in colour]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: Rgb, b: Rgb) -> float:
    """Contrast ratio (WCAG 2.2)."""
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def grounds(colours: dict[str, str]) -> dict[str, Rgb]:
    """Whatever the map may lie on: drawn tiles, and pictures from black to white under their veil."""
    found = {name: opaque(colours[name]) for name in COUNTRY}
    for name, pixel in (("white picture", (255.0,) * 3), ("black picture", (0.0,) * 3)):
        found[name] = opaque(colours["veil"], pixel)  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize("theme", THEMES)
def test_every_mark_of_the_map_stands_out_from_whatever_is_under_it(theme: str) -> None:
    colours = palette(theme)
    for name, ground in grounds(colours).items():
        for mark in MARKS:
            assert contrast(opaque(colours[mark]), ground) >= 3.0, (mark, name)


@pytest.mark.parametrize("theme", THEMES)
def test_text_on_its_plate_can_be_read(theme: str) -> None:
    colours = palette(theme)
    for name, ground in grounds(colours).items():
        plate = opaque(colours["plate"], ground)
        for text in ("text", "muted", "confirmed", "effector", "stale"):
            assert contrast(opaque(colours[text]), plate) >= 4.5, (text, name)


@pytest.mark.parametrize("theme", THEMES)
def test_the_more_urgent_is_the_more_salient_in_grey(theme: str) -> None:
    """What a threat is drawn with (its halo) has more contrast than any track that acts on nobody."""
    colours = palette(theme)
    ground = opaque(colours["ground"])
    threat = contrast(opaque(colours["halo"]), ground)
    for quiet in ("confirmed", "tentative", "stale"):
        assert threat >= 1.4 * contrast(opaque(colours[quiet]), ground), quiet
    assert contrast(opaque(colours["confirmed"]), ground) >= contrast(opaque(colours["stale"]), ground) * 0.9
