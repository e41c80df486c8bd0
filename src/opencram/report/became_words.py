"""The words of what became of each round: English, French, Arabic.  `TEXTS` has them by language."""

from typing import Final

_WORDS: Final[dict[str, tuple[str, str, str]]] = {
    "became.title": (
        "What became of each round, and what it cost",
        "Ce qu’il est advenu de chaque projectile, et à quel prix",
        "مصير كل مقذوف وكلفته",
    ),
    "became.lead": (
        "From the truth of the simulation, not from what the system believed. People: within {radius} of a round that "
        "went off on the ground, spread evenly over each zone. Everything that shots let fall is counted too.",
        "D’après la vérité de la simulation, et non ce que le système croyait. Personnes : à moins de {radius} d’un "
        "projectile qui a explosé au sol, réparties également dans chaque zone. Ce que les tirs font tomber compte "
        "aussi.",
        "من حقيقة المحاكاة لا مما ظنّه النظام. الأشخاص: ضمن {radius} من مقذوف انفجر على الأرض، موزعين بالتساوي في كل "
        "منطقة. ويُحسب كذلك كل ما تُسقطه الرميات.",
    ),
    "became.hit inside": ("hit inside", "tombé à l’intérieur", "سقط في الداخل"),
    "became.hit outside": ("hit outside", "tombé à l’extérieur", "سقط في الخارج"),
    "became.burst in the air": ("burst in the air", "éclaté en l’air", "انفجر في الجو"),
    "became.intercepted": ("intercepted, in pieces", "intercepté, en morceaux", "اعتُرض وتناثر"),
    "became.dud": ("dud", "non explosé", "لم ينفجر"),
    "became.still flying": ("still flying", "encore en vol", "ما زال في الجو"),
    "became.cost": ("Cost", "Coût", "الكلفة"),
    "became.shots": ("shots, of which {kills} killed", "tirs, dont {kills} ont détruit", "رميات، أصاب منها {kills}"),
    "became.rounds_spent": ("rounds fired at them", "coups tirés", "طلقات أُطلقت"),
    "became.outside": (
        "pieces and failed rounds outside the fence ({inside} inside)",
        "débris et coups ratés hors de l’enceinte ({inside} dedans)",
        "شظايا وطلقات فاشلة خارج السياج ({inside} في الداخل)",
    ),
    "became.under_debris": (
        "people within the reach of those pieces, on average",
        "personnes à portée de ces débris, en moyenne",
        "أشخاص في مدى هذه الشظايا، في المتوسط",
    ),
    "became.under_rounds": (
        "people within {radius} of the rounds that went off",
        "personnes à moins de {radius} des projectiles qui ont explosé",
        "أشخاص ضمن {radius} من المقذوفات التي انفجرت",
    ),
    "became.none": ("nobody fired", "personne n’a tiré", "لم يُطلق أحد"),
    "became.map": ("What fell where", "Ce qui est tombé où", "ماذا سقط وأين"),
    "became.map_desc": (
        "Map of where rounds came down and of the {pieces} pieces that shots let fall.",
        "Carte des points de chute des projectiles et des {pieces} débris des tirs.",
        "خريطة مواضع سقوط المقذوفات و{pieces} من شظايا الرميات.",
    ),
    "became.far": (
        "{pieces} of these fell beyond the picture, up to {distance} from the site.",
        "{pieces} d’entre eux sont tombés hors de l’image, jusqu’à {distance} du site.",
        "سقط {pieces} منها خارج الصورة، حتى {distance} من الموقع.",
    ),
    "became.mark.exploded": ("went off on the ground; ring: {radius}", "explosé au sol ; cercle : {radius}",
                             "انفجر على الأرض؛ الدائرة: {radius}"),
    "became.mark.dud": ("dud", "non explosé", "لم ينفجر"),
    "became.mark.met": ("met in the air by a shot that killed", "détruit en l’air par un tir", "دُمّر في الجو برمية"),
    "became.mark.debris": ("piece of a round", "débris d’un projectile", "شظية مقذوف"),
    "became.mark.own": (
        "failed round of a burst, or piece of a missile",
        "coup raté d’une rafale, ou débris d’un missile",
        "طلقة فاشلة أو شظية صاروخ اعتراضي",
    ),
    "became.mark.asset": ("defended asset", "site défendu", "موقع محميّ"),
    "became.mark.effector": ("effector model", "modèle d’effecteur", "نموذج المؤثّر"),
    "col.within": ("Came down in", "Tombé dans", "سقط في"),
    "col.became": ("What became of it", "Ce qu’il est devenu", "مصيره"),
    "col.people_near": ("People near it", "Personnes proches", "الأشخاص بقربه"),
    "col.shots": ("Shots", "Tirs", "الرميات"),
    "col.spent": ("Rounds spent", "Coups tirés", "طلقات مستهلكة"),
}  # fmt: skip

TEXTS: Final[dict[str, dict[str, str]]] = {
    language: {key: words[k] for key, words in _WORDS.items()} for k, language in enumerate(("en", "fr", "ar"))
}
