"""The register's words in English, French and Arabic."""

from collections.abc import Mapping
from typing import Final

LANGUAGES: Final = ("en", "fr", "ar")

_ENGLISH: Final[Mapping[str, str]] = {
    "raid": "Raid", "time": "time (UTC)", "site": "site", "rounds": "rounds", "down": "fell", "shot_down": "shot down",
    "districts": "where", "warned": "people warned", "lead": "least warning", "reports": "reports", "source": "source",
    "none": "no raid", "total": "raids: {raids}, rounds: {rounds}, months: {months}", "by_month": "Raids by month",
    "map": "Where rounds fell", "from": "first seen", "class": "class", "end": "end", "decision": "decision",
    "killed": "killed", "injured": "injured", "contradict": "Sources differ on", "says": "{source}: {value}",
    "impact": "fell", "intercepted": "shot down", "lost": "not seen to its end", "outside": "outside the zones",
    "zones": "Zones", "people": "people", "in_time": "in time", "late": "too late", "unwarned": "not warned",
    "needless": "needlessly warned", "far": "about {km} km", "said": "Reported", "seconds": "{s} s", "months": "month",
    "rocket": "rocket", "mortar": "mortar", "shell": "shell", "engage": "engaged", "ignore": "ignored", "hold": "held",
    "north": "north", "north-east": "north-east", "east": "east", "south-east": "south-east", "south": "south",
    "south-west": "south-west", "west": "west", "north-west": "north-west", "simulation": "exercise",
    "live": "live", "process": "recorded", "impacts": "impacts",
}  # fmt: skip

_FRENCH: Final[Mapping[str, str]] = {
    "raid": "Attaque", "time": "heure (UTC)", "site": "site", "rounds": "projectiles", "down": "tombés",
    "shot_down": "abattus", "districts": "lieux", "warned": "personnes averties", "lead": "préavis minimal",
    "reports": "rapports", "source": "source", "none": "aucune attaque",
    "total": "attaques : {raids}, projectiles : {rounds}, mois : {months}", "by_month": "Attaques par mois",
    "map": "Points d’impact", "from": "vu d’abord", "class": "classe", "end": "fin", "decision": "décision",
    "killed": "morts", "injured": "blessés", "contradict": "Les sources divergent sur", "says": "{source} : {value}",
    "impact": "tombé", "intercepted": "abattu", "lost": "fin non observée", "outside": "hors des zones",
    "zones": "Zones", "people": "personnes", "in_time": "à temps", "late": "trop tard", "unwarned": "non avertie",
    "needless": "avertie sans besoin", "far": "environ {km} km", "said": "Rapporté", "seconds": "{s} s",
    "months": "mois", "rocket": "roquette", "mortar": "mortier", "shell": "obus", "engage": "engagé",
    "ignore": "ignoré", "hold": "retenu", "north": "nord", "north-east": "nord-est", "east": "est",
    "south-east": "sud-est", "south": "sud", "south-west": "sud-ouest", "west": "ouest", "north-west": "nord-ouest",
    "simulation": "exercice", "live": "en direct", "process": "enregistrée", "impacts": "impacts",
}  # fmt: skip

_ARABIC: Final[Mapping[str, str]] = {
    "raid": "هجوم", "time": "الوقت (UTC)", "site": "الموقع", "rounds": "المقذوفات", "down": "سقط",
    "shot_down": "أُسقط", "districts": "الأماكن", "warned": "الأشخاص المُنذَرون", "lead": "أقل مدة إنذار",
    "reports": "البلاغات", "source": "المصدر", "none": "لا هجوم",
    "total": "الهجمات: {raids}، المقذوفات: {rounds}، الأشهر: {months}", "by_month": "الهجمات حسب الشهر",
    "map": "أماكن السقوط", "from": "أول رصد", "class": "النوع", "end": "النهاية", "decision": "القرار",
    "killed": "القتلى", "injured": "الجرحى", "contradict": "تختلف المصادر في", "says": "{source}: {value}",
    "impact": "سقط", "intercepted": "أُسقط", "lost": "لم تُرصد نهايته", "outside": "خارج المناطق",
    "zones": "المناطق", "people": "شخص", "in_time": "في الوقت", "late": "متأخر", "unwarned": "دون إنذار",
    "needless": "إنذار بلا حاجة", "far": "نحو {km} كم", "said": "بلاغ", "seconds": "{s} ث", "months": "الشهر",
    "rocket": "صاروخ", "mortar": "هاون", "shell": "قذيفة", "engage": "اشتُبك معه", "ignore": "تُجوهل", "hold": "عُلّق",
    "north": "الشمال", "north-east": "الشمال الشرقي", "east": "الشرق", "south-east": "الجنوب الشرقي",
    "south": "الجنوب", "south-west": "الجنوب الغربي", "west": "الغرب", "north-west": "الشمال الغربي",
    "simulation": "تمرين", "live": "مباشر", "process": "مسجّل", "impacts": "الإصابات",
}  # fmt: skip

CATALOGUES: Final[Mapping[str, Mapping[str, str]]] = {"en": _ENGLISH, "fr": _FRENCH, "ar": _ARABIC}


def say(language: str, key: str, **values: object) -> str:
    """Return the text of a key; a word that no catalogue has stands for itself."""
    text = CATALOGUES[language].get(key)
    return key if text is None else text.format(**values)
