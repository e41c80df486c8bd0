"""The words of the report on a study: English, French, Arabic."""

from collections.abc import Mapping
from typing import Final

LANGUAGES: Final = ("en", "fr", "ar")
DIRECTION: Final = {"en": "ltr", "fr": "ltr", "ar": "rtl"}

_ENGLISH: Final[Mapping[str, str]] = {
    "decimal": ".",
    "title": "Study: {name}",
    "kicker": "Comparison of simulated raids",
    "deck": "{raids} raids of {count} alternatives, each figure with its {share} interval.",
    "summary": "Summary",
    "figures": "Figures",
    "effects": "What each change does",
    "zones": "Warning by zone",
    "assumed": "What was assumed",
    "repeat": "How to repeat it",
    "base": "The base is {base}. All alternatives met the very same raids; differences are taken raid by raid.",
    "apart": "The alternatives met raids of their own.",
    "surely_more": "{factor}: {level} instead of {base} gives more {measure}: {change} ({low} to {high}).",
    "surely_less": "{factor}: {level} instead of {base} gives less {measure}: {change} ({low} to {high}).",
    "nothing": "No change of a factor changes a measure surely in its sign, with so many raids.",
    "failed": "{count} raids could not be flown; they are in no figure, and their reasons are in the result.",
    "worst": "The shortest warning at the median, {lead} s, is that of {zone} ({alternative}).",
    "measure": "measure", "unit": "unit", "alternative": "alternative", "factor": "factor", "change": "change",
    "interval": "interval", "sure": "sure of the sign", "yes": "yes", "no": "no", "zone": "zone",
    "struck": "times struck",
    "median": "median seconds", "timely": "warned {s} s ahead",
    "chart": "A point is the estimate, the line its interval.",
    "generic": (
        "Projectiles, effectors and casualties are generic models in round numbers; nobody's weapon is "
        "described."
    ),
    "over_raids": "Intervals are over raids: rounds of one raid are never counted as independent.",
    "weights": "Raids were sampled by importance; they are worth {count} raids of equal weight.",
    "program": "program", "seed": "seed", "study": "study file", "files": "hashes of study, scenario and site",
    "command": "Save the study file beside its scenario, then:",
    "not_warned": "not warned",
    "map": "Where warning is short",
    "map_lead": "Zones by their median seconds of warning before the first round that struck them, in the base.",
    "map_none": "struck fewer than {n} times",
    "distributions": "Distributions",
    "warning_curves": "Warning of struck zones",
    "warning_lead": "The share of struck zones warned at least so many seconds ahead; at 0 the rest had no warning.",
    "seconds_ahead": "seconds of warning, at least",
    "error_fan": "Error of the predicted impact",
    "error_lead": "Error of the predicted impact by the seconds still to go, in the base: a point is the median, the "
    "line holds 80 %.",
    "seconds_to_go": "seconds to impact",
    "same": "The same in every alternative",
    "timelines": "Timelines",
    "timelines_lead": "How the raids went over time: the line is the median of the raids, the band holds 80 %.",
    "course_alarmed_people": "People in zones in alarm", "course_tracks": "Confirmed tracks",
    "seconds_since": "seconds since the first plot of a round",
    "key_band": "80 % of the raids", "key_median": "median", "key_base": "median of the base",
    "approach": "Error and 95 % ellipse of the predicted impact, by the time to go",
    "key_error_band": "error, 80 % of the raids", "key_error": "error, median",
    "key_ellipse": "longer half axis of the 95 % ellipse, median",
    "zone_times": "From the first alarm to the impact",
    "zone_times_lead": "The struck zones that were warned the latest, in the base: the point is the median, the line "
    "holds 80 %; a line that reaches 0 holds raids without a warning.",
    "alarm_to_impact": "seconds from the alarm to the first impact",
}  # fmt: skip

_FRENCH: Final[Mapping[str, str]] = {
    "decimal": ",",
    "title": "Étude : {name}",
    "kicker": "Comparaison d’attaques simulées",
    "deck": "{raids} attaques, {count} variantes ; chaque chiffre avec son intervalle à {share}.",
    "summary": "Résumé",
    "figures": "Chiffres",
    "effects": "Ce que change chaque choix",
    "zones": "Préavis par zone",
    "assumed": "Hypothèses",
    "repeat": "Comment la refaire",
    "base": (
        "La base est {base}. Toutes les variantes ont subi les mêmes attaques ; les écarts sont pris attaque "
        "par attaque."
    ),
    "apart": "Chaque variante a subi ses propres attaques.",
    "surely_more": "{factor} : {level} au lieu de {base} augmente « {measure} » : {change} ({low} à {high}).",
    "surely_less": "{factor} : {level} au lieu de {base} diminue « {measure} » : {change} ({low} à {high}).",
    "nothing": "Aucun choix ne change une mesure avec un signe certain, pour ce nombre d’attaques.",
    "failed": (
        "{count} attaques n’ont pu être simulées ; elles n’entrent dans aucun chiffre, leurs raisons sont "
        "dans le résultat."
    ),
    "worst": "Le plus court préavis médian, {lead} s, est celui de {zone} ({alternative}).",
    "measure": "mesure", "unit": "unité", "alternative": "variante", "factor": "choix", "change": "écart",
    "interval": "intervalle", "sure": "signe certain", "yes": "oui", "no": "non", "zone": "zone",
    "struck": "fois touchée",
    "median": "secondes (médiane)", "timely": "avertie {s} s avant",
    "chart": "Le point est l’estimation, le trait son intervalle.",
    "generic": (
        "Projectiles, effecteurs et victimes : modèles génériques en chiffres ronds ; aucune arme réelle "
        "n’est décrite."
    ),
    "over_raids": (
        "Les intervalles portent sur les attaques : les projectiles d’une même attaque ne sont jamais "
        "comptés comme indépendants."
    ),
    "weights": "Échantillonnage d’importance ; l’échantillon vaut {count} attaques de même poids.",
    "program": "programme", "seed": "graine", "study": "fichier d’étude", "files": "empreintes : étude, scénario, site",
    "command": "Placer le fichier d’étude à côté de son scénario, puis :",
    "not_warned": "non avertie",
    "map": "Où le préavis est court",
    "map_lead": "Zones selon leur préavis médian, en secondes, avant le premier projectile qui les touche (base).",
    "map_none": "touchée moins de {n} fois",
    "distributions": "Répartitions",
    "warning_curves": "Préavis des zones touchées",
    "warning_lead": "Part des zones touchées qui furent averties au moins tant de secondes avant ; à 0, le reste n’a "
    "rien reçu.",
    "seconds_ahead": "secondes de préavis, au moins",
    "error_fan": "Erreur de l’impact prévu",
    "error_lead": "Erreur de l’impact prévu selon les secondes restantes (base) : le point est la médiane, le trait "
    "en contient 80 %.",
    "seconds_to_go": "secondes avant l’impact",
    "same": "Identiques dans toutes les variantes",
    "timelines": "Déroulement",
    "timelines_lead": "Les attaques au fil du temps : le trait est la médiane des attaques, la bande en contient 80 %.",
    "course_alarmed_people": "Habitants des zones en alerte", "course_tracks": "Pistes confirmées",
    "seconds_since": "secondes depuis le premier plot d’un projectile",
    "key_band": "80 % des attaques", "key_median": "médiane", "key_base": "médiane de la base",
    "approach": "Erreur et ellipse à 95 % de l’impact prévu, selon le temps restant",
    "key_error_band": "erreur, 80 % des attaques", "key_error": "erreur, médiane",
    "key_ellipse": "grand demi-axe de l’ellipse à 95 %, médiane",
    "zone_times": "De la première alerte à l’impact",
    "zone_times_lead": "Les zones touchées averties le plus tard (base) : le point est la médiane, le trait contient "
    "80 % ; un trait qui atteint 0 contient des attaques sans alerte.",
    "alarm_to_impact": "secondes de l’alerte au premier impact",
}  # fmt: skip

_ARABIC: Final[Mapping[str, str]] = {
    "decimal": ".",
    "title": "دراسة: {name}",
    "kicker": "مقارنة هجمات محاكاة",
    "deck": "عدد الهجمات {raids}، وعدد البدائل {count}؛ مع كل رقم مجال ثقته {share}.",
    "summary": "الخلاصة",
    "figures": "الأرقام",
    "effects": "ما يغيّره كل خيار",
    "zones": "الإنذار حسب المنطقة",
    "assumed": "الافتراضات",
    "repeat": "كيف تُعاد الدراسة",
    "base": "الأساس هو {base}. واجهت كل البدائل الهجمات نفسها، وتُحسب الفروق هجوماً بهجوم.",
    "apart": "واجه كل بديل هجمات خاصة به.",
    "surely_more": "{factor}: {level} بدلاً من {base} يزيد «{measure}»: {change} (من {low} إلى {high}).",
    "surely_less": "{factor}: {level} بدلاً من {base} ينقص «{measure}»: {change} (من {low} إلى {high}).",
    "nothing": "لا يغيّر أي خيار أي مقياس بإشارة مؤكدة بهذا العدد من الهجمات.",
    "failed": "تعذّرت محاكاة {count} من الهجمات؛ لا تدخل في أي رقم، وأسبابها في ملف النتيجة.",
    "worst": "أقصر إنذار (الوسيط) {lead} ث في {zone} ({alternative}).",
    "measure": "المقياس", "unit": "الوحدة", "alternative": "البديل", "factor": "الخيار", "change": "الفرق",
    "interval": "المجال", "sure": "الإشارة مؤكدة", "yes": "نعم", "no": "لا", "zone": "المنطقة",
    "struck": "مرات الإصابة",
    "median": "الثواني (الوسيط)", "timely": "أُنذرت قبل {s} ث",
    "chart": "النقطة هي التقدير والخط مجاله.",
    "generic": "المقذوفات ووسائل الاعتراض والإصابات نماذج عامة بأرقام مدوّرة؛ لا يوصف أي سلاح حقيقي.",
    "over_raids": "المجالات محسوبة على الهجمات: لا تُعدّ مقذوفات الهجوم الواحد مستقلة أبداً.",
    "weights": "أُخذت العينة بالأهمية؛ وهي تساوي {count} هجوماً متساوي الوزن.",
    "program": "البرنامج", "seed": "البذرة", "study": "ملف الدراسة", "files": "بصمات الدراسة والسيناريو والموقع",
    "command": "ضع ملف الدراسة بجانب السيناريو ثم نفّذ:",
    "not_warned": "بلا إنذار",
    "map": "أين يقصر الإنذار",
    "map_lead": "المناطق حسب وسيط ثواني الإنذار قبل أول مقذوف أصابها، في الأساس.",
    "map_none": "أُصيبت أقل من {n} مرات",
    "distributions": "التوزيعات",
    "warning_curves": "إنذار المناطق المصابة",
    "warning_lead": "نسبة المناطق المصابة التي أُنذرت قبل هذا العدد من الثواني على الأقل؛ والباقي عند الصفر بلا إنذار.",
    "seconds_ahead": "ثواني الإنذار، على الأقل",
    "error_fan": "خطأ السقوط المتوقع",
    "error_lead": "خطأ السقوط المتوقع حسب الثواني الباقية، في الأساس: النقطة هي الوسيط والخط يضم 80 %.",
    "seconds_to_go": "الثواني إلى السقوط",
    "same": "متطابقة في كل البدائل",
    "timelines": "سير الهجمات",
    "timelines_lead": "الهجمات عبر الزمن: الخط هو وسيط الهجمات، والشريط يضم 80 % منها.",
    "course_alarmed_people": "سكان المناطق التي في إنذار", "course_tracks": "المسارات المؤكدة",
    "seconds_since": "الثواني منذ أول رصدة لمقذوف",
    "key_band": "80 % من الهجمات", "key_median": "الوسيط", "key_base": "وسيط الأساس",
    "approach": "خطأ السقوط المتوقع وقطعه الناقص 95 % حسب الوقت الباقي",
    "key_error_band": "الخطأ، 80 % من الهجمات", "key_error": "الخطأ، الوسيط",
    "key_ellipse": "نصف المحور الأكبر للقطع الناقص 95 %، الوسيط",
    "zone_times": "من أول إنذار إلى السقوط",
    "zone_times_lead": "المناطق المصابة الأكثر تأخرًا في الإنذار (الأساس): النقطة هي الوسيط والخط يضم 80 %؛ "
    "وما بلغ 0 فيه هجمات بلا إنذار.",
    "alarm_to_impact": "الثواني من الإنذار إلى أول سقوط",
}  # fmt: skip

CATALOGUES: Final = {"en": _ENGLISH, "fr": _FRENCH, "ar": _ARABIC}

_MEASURES_ENGLISH: Final[Mapping[str, str]] = {
    "people_warned_5s": "people warned 5 s ahead", "people_warned_10s": "people warned 10 s ahead",
    "people_warned_15s": "people warned 15 s ahead", "people_in_time": "people warned in time for shelter",
    "lead_median": "warning, median", "lead_p10": "warning, shortest tenth", "missed_zones": "zones struck unwarned",
    "missed_people": "people struck unwarned", "false_alarms": "false alarms",
    "needless_person_min": "needless person-minutes", "leakers": "rounds that struck an asset",
    "any_leaker": "raids in which one did", "leak_share": "share of threatening rounds that struck",
    "kills": "rounds shot down", "rounds_per_kill": "rounds fired for each shot down",
    "debris_outside": "debris outside the assets", "casualties": "casualties",
    "casualties_unwarned": "casualties if nobody were warned", "impact_error_5s": "impact error 5 s ahead",
    "impact_error_10s": "impact error 10 s ahead", "impact_error_15s": "impact error 15 s ahead",
    "impact_error_20s": "impact error 20 s ahead", "coverage_5s": "95 % ellipses that hold, 5 s ahead",
    "coverage_10s": "95 % ellipses that hold, 10 s ahead", "coverage_15s": "95 % ellipses that hold, 15 s ahead",
    "coverage_20s": "95 % ellipses that hold, 20 s ahead", "decision_time": "time left at consent",
    "false_tracks": "false tracks", "untracked": "rounds without a track",
}  # fmt: skip

_MEASURES_FRENCH: Final[Mapping[str, str]] = {
    "people_warned_5s": "personnes averties 5 s avant", "people_warned_10s": "personnes averties 10 s avant",
    "people_warned_15s": "personnes averties 15 s avant", "people_in_time": "personnes averties à temps",
    "lead_median": "préavis médian", "lead_p10": "préavis, dixième le plus court",
    "missed_zones": "zones touchées sans alerte", "missed_people": "personnes touchées sans alerte",
    "false_alarms": "fausses alertes", "needless_person_min": "minutes-personnes inutiles",
    "leakers": "projectiles ayant touché un site défendu", "any_leaker": "attaques où cela arrive",
    "leak_share": "part des projectiles menaçants qui touchent", "kills": "projectiles abattus",
    "rounds_per_kill": "coups tirés par projectile abattu", "debris_outside": "débris hors des sites défendus",
    "casualties": "victimes", "casualties_unwarned": "victimes sans aucune alerte",
    "impact_error_5s": "erreur d’impact 5 s avant", "impact_error_10s": "erreur d’impact 10 s avant",
    "impact_error_15s": "erreur d’impact 15 s avant", "impact_error_20s": "erreur d’impact 20 s avant",
    "coverage_5s": "ellipses à 95 % exactes, 5 s avant", "coverage_10s": "ellipses à 95 % exactes, 10 s avant",
    "coverage_15s": "ellipses à 95 % exactes, 15 s avant", "coverage_20s": "ellipses à 95 % exactes, 20 s avant",
    "decision_time": "temps restant à l’accord", "false_tracks": "fausses pistes",
    "untracked": "projectiles sans piste",
}  # fmt: skip

_MEASURES_ARABIC: Final[Mapping[str, str]] = {
    "people_warned_5s": "من أُنذروا قبل 5 ث", "people_warned_10s": "من أُنذروا قبل 10 ث",
    "people_warned_15s": "من أُنذروا قبل 15 ث", "people_in_time": "من أُنذروا في الوقت الكافي",
    "lead_median": "وسيط الإنذار", "lead_p10": "أقصر عُشر من الإنذارات", "missed_zones": "مناطق أُصيبت دون إنذار",
    "missed_people": "سكان أُصيبت مناطقهم دون إنذار", "false_alarms": "إنذارات كاذبة",
    "needless_person_min": "دقائق-شخص بلا حاجة", "leakers": "مقذوفات أصابت موقعاً محمياً",
    "any_leaker": "هجمات وقع فيها ذلك", "leak_share": "نسبة ما أصاب من المقذوفات المهدِّدة",
    "kills": "مقذوفات أُسقطت", "rounds_per_kill": "طلقات لكل مقذوف أُسقط",
    "debris_outside": "حطام خارج المواقع المحمية",
    "casualties": "الإصابات", "casualties_unwarned": "الإصابات لو لم يُنذَر أحد",
    "impact_error_5s": "خطأ السقوط قبل 5 ث", "impact_error_10s": "خطأ السقوط قبل 10 ث",
    "impact_error_15s": "خطأ السقوط قبل 15 ث", "impact_error_20s": "خطأ السقوط قبل 20 ث",
    "coverage_5s": "نسبة صحة مجالات 95 % قبل 5 ث", "coverage_10s": "نسبة صحة مجالات 95 % قبل 10 ث",
    "coverage_15s": "نسبة صحة مجالات 95 % قبل 15 ث", "coverage_20s": "نسبة صحة مجالات 95 % قبل 20 ث",
    "decision_time": "الوقت الباقي عند الموافقة", "false_tracks": "مسارات كاذبة", "untracked": "مقذوفات بلا مسار",
}  # fmt: skip

MEASURE_NAMES: Final = {"en": _MEASURES_ENGLISH, "fr": _MEASURES_FRENCH, "ar": _MEASURES_ARABIC}

_UNITS: Final = {
    "fr": {
        "share": "part", "per raid": "par attaque", "person-minutes per raid": "par attaque", "rounds": "coups",
        "pieces per raid": "morceaux par attaque", "expected per raid": "attendues par attaque",
    },
    "ar": {
        "share": "نسبة", "per raid": "لكل هجوم", "person-minutes per raid": "لكل هجوم", "rounds": "طلقة",
        "pieces per raid": "قطعة لكل هجوم", "expected per raid": "متوقعة لكل هجوم", "s": "ث", "m": "م",
    },
}  # fmt: skip


def measure_name(language: str, name: str) -> str:
    """Return what a measure is called."""
    return MEASURE_NAMES[language].get(name, name)


def unit_name(language: str, unit: str) -> str:
    """Return what a unit is called."""
    return _UNITS.get(language, {}).get(unit, unit)
