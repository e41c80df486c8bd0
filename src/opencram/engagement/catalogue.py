"""What is said of a decision, in English, French and Arabic.

The numbers stand in braces and are the same in every language; `words.say` puts them in.  The key is the code of the
rule, or names a part of a sentence.
"""

from typing import Final

# key: (English, French, Arabic)
SENTENCES: Final[dict[str, tuple[str, str, str]]] = {
    # ---- parts
    "odds_asset": (
        "{probability} at the {place}",
        "{probability} sur « {place} »",
        "{probability} على {place}",
    ),
    "odds_zone": (
        "{probability} at {place}, {zones_probability} in the zones, "
        "{people} people expected within {radius_m} m of it",
        "{probability} sur {place}, {zones_probability} dans les zones, "
        "{people} personnes attendues à moins de {radius_m} m",
        "{probability} على {place}، {zones_probability} في المناطق، "
        "العدد المتوقع للأشخاص ضمن {radius_m} م منها {people}",
    ),
    "outside": (
        "{sure} sure to land outside the {place} by more than {radius_m} m",
        "tombera à {sure} de certitude hors de « {place} », à plus de {radius_m} m",
        "ستسقط بيقين {sure} خارج {place} بأكثر من {radius_m} م",
    ),
    "outside_by": (
        "{sure} sure to land outside the {place} by more than {radius_m} m, 95 % sure by more than {clearance_m}",
        "tombera à {sure} de certitude hors de « {place} », à plus de {radius_m} m, et à 95 % de certitude "
        "à plus de {clearance_m}",
        "ستسقط بيقين {sure} خارج {place} بأكثر من {radius_m} م، وبيقين 95٪ بأكثر من {clearance_m}",
    ),
    "outside_zones": (
        "{sure} sure to land outside every zone ({place} is nearest) by more than {radius_m} m",
        "tombera à {sure} de certitude hors de toute zone ({place} est la plus proche), à plus de {radius_m} m",
        "ستسقط بيقين {sure} خارج جميع المناطق (أقربها {place}) بأكثر من {radius_m} م",
    ),
    "shot_of": ("{effector} at {time}", "{effector} à {time}", "{effector} في {time}"),
    "by": (
        "; decides at the latest at {decide_by}",
        " ; décision au plus tard à {decide_by}",
        "؛ القرار في موعد أقصاه {decide_by}",
    ),
    # ---- fired upon
    "killed": (
        "engaged and killed: no plot after the shot of {shot}",
        "engagé et détruit : aucun plot après le tir de {shot}",
        "تم الاشتباك والتدمير: لا رصد بعد رمية {shot}",
    ),
    "missed_limit": (
        "engaged and missed: still tracked after the shot of {shot}; {shots} shots are the limit",
        "engagé et manqué : toujours suivi après le tir de {shot} ; {shots} tirs sont la limite",
        "تم الاشتباك دون إصابة: ما زال متتبَّعًا بعد رمية {shot}؛ الحد هو {shots} رميات",
    ),
    "missed_no_shot": (
        "engaged and missed: still tracked after the shot of {shot}; no further shot can meet it",
        "engagé et manqué : toujours suivi après le tir de {shot} ; aucun autre tir ne peut l’atteindre",
        "تم الاشتباك دون إصابة: ما زال متتبَّعًا بعد رمية {shot}؛ لا رمية أخرى تستطيع بلوغه",
    ),
    "missed_busy": (
        "engaged and missed: still tracked after the shot of {shot}; every channel is taken",
        "engagé et manqué : toujours suivi après le tir de {shot} ; toutes les voies sont prises",
        "تم الاشتباك دون إصابة: ما زال متتبَّعًا بعد رمية {shot}؛ جميع القنوات مشغولة",
    ),
    # ---- ignored
    "nothing_to_protect": (
        "ignored: the site names no place that its policy protects",
        "ignoré : le site ne nomme aucun lieu que sa politique protège",
        "تم التجاهل: لا يسمّي الموقع مكانًا تحميه سياسته",
    ),
    "not_projectile": (
        "ignored: only {probability} likely to be a projectile",
        "ignoré : projectile avec une probabilité de {probability} seulement",
        "تم التجاهل: احتمال كونه مقذوفًا {probability} فقط",
    ),
    "ignored": ("ignored: {outside}", "ignoré : {outside}", "تم التجاهل: {outside}"),
    "ignored_people": (
        "ignored: {outside}; {people} people expected to be exposed",
        "ignoré : {outside} ; {people} personnes exposées attendues",
        "تم التجاهل: {outside}؛ العدد المتوقع للأشخاص المعرّضين {people}",
    ),
    "ignored_last_call": (
        "{ignored}; {odds} is below the {needed} needed at the last call",
        "{ignored} ; {odds}, moins que les {needed} requis au dernier appel",
        "{ignored}؛ {odds} أقل من {needed} المطلوبة عند النداء الأخير",
    ),
    "duplicate": (
        "ignored: a second track of a round that another track follows",
        "ignoré : seconde piste d’un projectile qu’une autre piste suit",
        "تم التجاهل: مسار ثانٍ لمقذوف يتبعه مسار آخر",
    ),
    # ---- held: the estimate
    "no_prediction": (
        "held: no predicted impact yet; waiting for more track",
        "retenu : pas encore d’impact prévu ; attente de plus de piste",
        "قيد الانتظار: لا نقطة سقوط متوقعة بعد؛ بانتظار مزيد من التتبع",
    ),
    "unsure": ("held: {odds}, {wait}{by}", "retenu : {odds}, {wait}{by}", "قيد الانتظار: {odds}، {wait}{by}"),
    "unsure_settle": (
        "must stay above {sure_probability} for {settle_s} s",
        "doit rester au-dessus de {sure_probability} pendant {settle_s} s",
        "يجب أن يبقى فوق {sure_probability} لمدة {settle_s} ث",
    ),
    "unsure_wait": (
        "waiting for a surer estimate (engaged from {sure_probability}, ignored up to {ignore_probability})",
        "attente d’une estimation plus sûre (engagé dès {sure_probability}, ignoré jusqu’à {ignore_probability})",
        "بانتظار تقدير أوثق (اشتباك من {sure_probability}، تجاهل حتى {ignore_probability})",
    ),
    "unsure_loose": (
        "{distance_m} m away, but still uncertain by {deviation_m} m",
        "à {distance_m} m, mais encore incertain de {deviation_m} m",
        "على بعد {distance_m} م، لكن عدم اليقين ما زال {deviation_m} م",
    ),
    # ---- held: effectors
    "no_effector": (
        "held: {odds}, but the site has no effector",
        "retenu : {odds}, mais le site n’a pas d’effecteur",
        "قيد الانتظار: {odds}، لكن لا مؤثّر في الموقع",
    ),
    "no_window": (
        "held: {odds}, but no effector can meet it: {why}",
        "retenu : {odds}, mais aucun effecteur ne peut l’atteindre : {why}",
        "قيد الانتظار: {odds}، لكن لا مؤثّر يستطيع بلوغه: {why}",
    ),
    "closed_no_path": (
        "{effector} has no predicted path to meet",
        "{effector} n’a pas de trajectoire prévue à atteindre",
        "لا مسار متوقعًا أمام {effector}",
    ),
    "closed_passed": (
        "{effector} would have had to start by {time}",
        "{effector} aurait dû commencer avant {time}",
        "كان على {effector} أن يبدأ قبل {time}",
    ),
    "closed_low": (
        "{effector} would meet it lower than {height_m} m",
        "{effector} l’atteindrait à moins de {height_m} m de hauteur",
        "سيبلغه {effector} على ارتفاع أقل من {height_m} م",
    ),
    "closed_late": (
        "{effector} needs {reaction_s} s to react, and there is no time for that",
        "{effector} met {reaction_s} s à réagir, et le temps manque",
        "يحتاج {effector} إلى {reaction_s} ث للاستجابة، ولا وقت لذلك",
    ),
    "closed_range": (
        "{effector} reaches {near_m} to {far_m} m, the path comes as close as {closest_m}",
        "{effector} porte de {near_m} à {far_m} m, la trajectoire passe au plus près à {closest_m}",
        "مدى {effector} من {near_m} إلى {far_m} م، وأقرب نقطة في المسار {closest_m}",
    ),
    "magazine_empty": (
        "held: {odds}, but {left}",
        "retenu : {odds}, mais {left}",
        "قيد الانتظار: {odds}، لكن {left}",
    ),
    "rounds_left": (
        "{effector} has {rounds} rounds and a shot takes {needed}",
        "{effector} a {rounds} coups et un tir en prend {needed}",
        "لدى {effector} {rounds} طلقة والرمية تحتاج {needed}",
    ),
    "channels_busy": (
        "held: {odds}, but {effectors} can meet it only while taken by rounds worth as much or more",
        "retenu : {odds}, mais {effectors} ne peut l’atteindre que pris par des projectiles qui valent autant ou plus",
        "قيد الانتظار: {odds}، لكن {effectors} لا يبلغه إلا وهو منشغل بمقذوفات لا تقل أهمية",
    ),
    # ---- held: people
    "mode_hold": (
        "held: {odds}, but the site's mode is hold",
        "retenu : {odds}, mais le mode du site est « retenir »",
        "قيد الانتظار: {odds}، لكن وضع الموقع هو المنع",
    ),
    "vetoed": (
        "held: {odds}, but an operator vetoed this engagement",
        "retenu : {odds}, mais un opérateur a mis son veto",
        "قيد الانتظار: {odds}، لكن مشغّلًا نقض هذا الاشتباك",
    ),
    "operator_hold_all": (
        "held: {odds}, but an operator holds every engagement",
        "retenu : {odds}, mais un opérateur retient tout engagement",
        "قيد الانتظار: {odds}، لكن مشغّلًا أوقف كل اشتباك",
    ),
    "operator_hold": (
        "held: {odds}, but an operator holds this engagement",
        "retenu : {odds}, mais un opérateur retient cet engagement",
        "قيد الانتظار: {odds}، لكن مشغّلًا أوقف هذا الاشتباك",
    ),
    "awaiting_consent": (
        "held: {odds}, awaiting consent: {left_s} s left, until {until}",
        "retenu : {odds}, attente d’accord : encore {left_s} s, jusqu’à {until}",
        "قيد الانتظار: {odds}، بانتظار الموافقة: بقي {left_s} ث، حتى {until}",
    ),
    "veto_timer": (
        "held: {odds}, to be engaged at {time} unless vetoed",
        "retenu : {odds}, sera engagé à {time} sauf veto",
        "قيد الانتظار: {odds}، سيُشتبك معه في {time} ما لم يُنقض",
    ),
    # ---- held: hold rules of the site file
    "held_by_rule": ("held: {odds}, but {why}", "retenu : {odds}, mais {why}", "قيد الانتظار: {odds}، لكن {why}"),
    "no_fire_sector": (
        "{effector} would fire into the no-fire sector {rule}",
        "{effector} tirerait dans le secteur interdit {rule}",
        "سيرمي {effector} داخل القطاع المحظور {rule}",
    ),
    "no_fire_time": (
        "{rule} forbids every shot from {begin} to {end}",
        "{rule} interdit tout tir de {begin} à {end}",
        "{rule} تمنع كل رماية من {begin} إلى {end}",
    ),
    "aircraft_corridor": (
        "the line of fire of {effector} crosses the aircraft corridor {rule}",
        "la ligne de tir de {effector} traverse le couloir aérien {rule}",
        "خط رماية {effector} يعبر ممر الطائرات {rule}",
    ),
    "friendly_track": (
        "friendly track {friend} within {distance_m} m of the line of fire of {effector} until {until}",
        "piste amie {friend} à moins de {distance_m} m de la ligne de tir de {effector} jusqu’à {until}",
        "المسار الصديق {friend} على أقل من {distance_m} م من خط رماية {effector} حتى {until}",
    ),
    "minimum_altitude": (
        "{effector} would meet it lower than the {height_m} m of {rule}",
        "{effector} l’atteindrait plus bas que les {height_m} m de {rule}",
        "سيبلغه {effector} دون ارتفاع {height_m} م المحدد في {rule}",
    ),
    "ground_danger": (
        "debris and failed rounds of {effector} would endanger {danger} people, the round itself {averted}",
        "débris et coups ratés de {effector} mettraient en danger {danger} personnes, le projectile lui-même {averted}",
        "شظايا {effector} وطلقاته الفاشلة تعرّض {danger} شخصًا للخطر، والمقذوف نفسه {averted}",
    ),
    # ---- engaged
    "in_window": (
        "engage: {odds}; {effector} {fires} {rounds} {unit} at {fire_time} to meet it {range_m} m away at "
        "{intercept_time}, {kill} to kill",
        "engager : {odds} ; {effector} {fires} {rounds} {unit} à {fire_time} pour l’atteindre à {range_m} m à "
        "{intercept_time}, {kill} de chances de détruire",
        "اشتباك: {odds}؛ {effector} {fires} {rounds} {unit} في {fire_time} ليبلغه على بعد {range_m} م في "
        "{intercept_time}، احتمال التدمير {kill}",
    ),
    "again": (
        "engage again: {odds}; {effector} {fires} {rounds} {unit} at {fire_time} to meet it {range_m} m away at "
        "{intercept_time}, {kill} to kill",
        "engager de nouveau : {odds} ; {effector} {fires} {rounds} {unit} à {fire_time} pour l’atteindre à {range_m} m "
        "à {intercept_time}, {kill} de chances de détruire",
        "اشتباك ثانٍ: {odds}؛ {effector} {fires} {rounds} {unit} في {fire_time} ليبلغه على بعد {range_m} م في "
        "{intercept_time}، احتمال التدمير {kill}",
    ),
    "fires": ("fires", "tire", "يرمي"),
    "would_fire": ("would fire", "tirerait", "كان سيرمي"),
    "round": ("round", "coup", "طلقة"),
    "rounds": ("rounds", "coups", "طلقة"),
    # ---- last words
    "no_time_early": (
        "held: the track ended ({ended}), before an impact was predicted: no time to decide",
        "retenu : la piste a pris fin ({ended}) avant qu’un impact soit prévu : pas le temps de décider",
        "قيد الانتظار: انتهى المسار ({ended}) قبل توقع نقطة سقوط: لا وقت للقرار",
    ),
    "no_time": (
        "held: the track ended ({ended}), {odds}: no time to decide",
        "retenu : la piste a pris fin ({ended}), {odds} : pas le temps de décider",
        "قيد الانتظار: انتهى المسار ({ended})، {odds}: لا وقت للقرار",
    ),
    "no_time_limit": (
        "held to the end of its track ({ended}): {limit} other rounds were held, the limit",
        "retenu jusqu’à la fin de sa piste ({ended}) : {limit} autres projectiles étaient suivis, la limite",
        "قيد الانتظار حتى نهاية مساره ({ended}): كان {limit} مقذوفًا آخر قيد المتابعة، وهو الحد",
    ),
    "no_time_unknown": (
        "held to the end of its track ({ended}): no prediction came in time",
        "retenu jusqu’à la fin de sa piste ({ended}) : aucune prévision n’est venue à temps",
        "قيد الانتظار حتى نهاية مساره ({ended}): لم يأت توقع في الوقت المناسب",
    ),
    "track_ended": (
        "held to the end: {odds}, but the track ended ({ended}) {why}",
        "retenu jusqu’à la fin : {odds}, mais la piste a pris fin ({ended}) {why}",
        "قيد الانتظار حتى النهاية: {odds}، لكن المسار انتهى ({ended}) {why}",
    ),
    "track_ended_early": (
        "held to the end: the track ended ({ended}) {why}",
        "retenu jusqu’à la fin : la piste a pris fin ({ended}) {why}",
        "قيد الانتظار حتى النهاية: انتهى المسار ({ended}) {why}",
    ),
    "ended_impact": ("impact", "impact", "سقوط"),
    "ended_lost": ("lost", "perdue", "فُقد"),
    "ended_never_confirmed": ("never confirmed", "jamais confirmée", "لم يتأكد"),
    "ended_duplicate": ("duplicate", "doublon", "مكرر"),
    "ended_intercepted": ("intercepted", "interceptée", "اعتُرض"),
    "ended_limit": ("limit", "limite", "الحد"),
    "before_shot": ("before its shot", "avant le tir", "قبل الرمية"),
    "before_sure": ("before the estimate was sure", "avant que l’estimation soit sûre", "قبل أن يصبح التقدير أكيدًا"),
    "before_first": ("first", "d’abord", "أولًا"),
    # ---- the gate
    "gate_refused": (
        "held: {odds}, but the last check before the shot of {effector} refused it: {why}",
        "retenu : {odds}, mais le dernier contrôle avant le tir de {effector} l’a refusé : {why}",
        "قيد الانتظار: {odds}، لكن الفحص الأخير قبل رمية {effector} رفضها: {why}",
    ),
    "gate_verdict": ("the rules say {code}", "les règles disent {code}", "القواعد تقول {code}"),
    "gate_channel": ("its channel {channel} is taken", "sa voie {channel} est prise", "قناته {channel} مشغولة"),
    "gate_magazine": ("only {rounds} rounds are left", "il ne reste que {rounds} coups", "لم يبق سوى {rounds} طلقة"),
    "gate_twice": ("the round is being met already", "le projectile est déjà pris", "المقذوف قيد الاشتباك"),
    "gate_range": ("{range_m} m is out of range", "{range_m} m est hors de portée", "{range_m} م خارج المدى"),
    "gate_height": ("{height_m} m is too low", "{height_m} m est trop bas", "{height_m} م منخفض جدًا"),
    "gate_time": ("its time has passed", "son heure est passée", "فات وقته"),
    "revived": (
        "engaged, believed killed, but tracked again after the shot of {shot}: engaged anew if anything reaches it",
        "engagé, cru détruit, mais suivi de nouveau après le tir de {shot} : repris si un tir peut l’atteindre",
        "تم الاشتباك وظُنّ أنه دُمّر، لكنه تُتبّع من جديد بعد رمية {shot}: يُعاد الاشتباك إن أمكن بلوغه",
    ),
}
