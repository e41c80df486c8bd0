// The words of the page for people in the zones.
export const WORDS: Record<string, Record<string, string>> = {
  en: {
    shelter: "TAKE SHELTER", drop: "DROP AND COVER", none: "STAY ALERT", stay: "STAY IN SHELTER", calm: "No alarm", clear: "ALL CLEAR", withdrawn: "Warning withdrawn",
    left: "{n} s", late: "Not in shelter yet? Drop and cover where you are.", stayMore: "Wait for the all-clear.",
    expired: "WARNING HAS RUN OUT", expiredMore: "Nobody has given the all-clear. Listen to sirens and radio.",
    lost: "CONTACT LOST", lostMore: "Nothing heard for {n} s. Listen to sirens and radio.",
    ok: "connected, updated {n} s ago", joining: "Connecting…", zone: "My zone", language: "Language", choose: "choose your zone", pick: "Choose your zone above.",
    soundOn: "♪ Sound on", soundOff: "✕ Sound OFF",
    simulation: "◆ SIMULATION – not real", exercise: "▣ EXERCISE – not real", test: "◌ TEST – not real", actual: "",
  },
  fr: {
    shelter: "À L’ABRI", drop: "AU SOL, PROTÉGEZ-VOUS", none: "RESTEZ ATTENTIF", stay: "RESTEZ À L’ABRI", calm: "Aucune alerte", clear: "FIN D’ALERTE", withdrawn: "Alerte annulée",
    left: "{n} s", late: "Pas encore à l’abri ? Au sol, protégez-vous sur place.", stayMore: "Attendez la fin d’alerte.",
    expired: "L’ALERTE A EXPIRÉ", expiredMore: "Personne n’a annoncé la fin d’alerte. Écoutez les sirènes et la radio.",
    lost: "CONTACT PERDU", lostMore: "Rien reçu depuis {n} s. Écoutez les sirènes et la radio.",
    ok: "connecté, mis à jour il y a {n} s", joining: "Connexion…", zone: "Ma zone", language: "Langue", choose: "choisissez votre zone", pick: "Choisissez votre zone ci-dessus.",
    soundOn: "♪ Son actif", soundOff: "✕ Son COUPÉ",
    simulation: "◆ SIMULATION – ce n’est pas réel", exercise: "▣ EXERCICE – ce n’est pas réel", test: "◌ TEST – ce n’est pas réel", actual: "",
  },
  ar: {
    shelter: "إلى الملجأ", drop: "انبطحوا واحتموا", none: "ابقوا متيقظين", stay: "ابقوا في الملجأ", calm: "لا إنذار", clear: "زال الخطر", withdrawn: "أُلغي الإنذار",
    left: "{n} ث", late: "لم تصلوا إلى الملجأ بعد؟ انبطحوا واحتموا حيث أنتم.", stayMore: "انتظروا إعلان زوال الخطر.",
    expired: "انتهت مدة الإنذار", expiredMore: "لم يُعلن زوال الخطر. استمعوا إلى صفارات الإنذار والإذاعة.",
    lost: "انقطع الاتصال", lostMore: "لم يصل شيء منذ {n} ث. استمعوا إلى صفارات الإنذار والإذاعة.",
    ok: "متصل، حُدّث قبل {n} ث", joining: "جارٍ الاتصال…", zone: "منطقتي", language: "اللغة", choose: "اختر منطقتك", pick: "اختر منطقتك أعلاه.",
    soundOn: "♪ الصوت يعمل", soundOff: "✕ الصوت مغلق",
    simulation: "◆ محاكاة – ليس حقيقياً", exercise: "▣ تمرين – ليس حقيقياً", test: "◌ اختبار – ليس حقيقياً", actual: "",
  },
};
