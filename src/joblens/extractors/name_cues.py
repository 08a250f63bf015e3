"""What people write before and after a name in adverts: signatures, contact lines, forms of address.

The closings of letters are those that the dictionaries list: Den Danske Ordbog ("hilsen"), the Oxford English
Dictionary ("sincerely", "regards"), the Diccionario de la lengua española ("atentamente", "saludo"), Duden
("Gruß"). The other cues were read out of adverts in Danish, English, Spanish, Polish and Russian.
"""

from __future__ import annotations

import re

SIGNATURE = (
    r"(?:(?:med )?(?:venlig|kærlig|bedste?|mange|hjertelig|varm)e?s?t?e? hils(?:en|ner)"
    r"|m\.?v\.?h\b\.?|hilsen"
    r"|(?:with )?(?:kind|best|warm|kindest|warmest|many) (?:regards|wishes)|(?:yours )?(?:sincerely"
    r"|faithfully)"
    r"(?: yours)?|yours truly|regards,"
    r"|(?:reciban? )?(?:un )?(?:cordial(?:es)? saludos?|saludos? cordial(?:es)?)|saludos"
    r"|(?:muy )?atentamente"
    r"|с (?:наилучшими пожеланиями|уважением)|med (?:vänliga?|vennlig|bästa|beste) h[äi]lsning(?:ar|er)?"
    r"|(?:vänliga|bästa|beste|vennlige) h[äi]ls(?:ningar|ninger|n)|mit (?:freundlichen|besten"
    r"|herzlichen) grü(?:ß|ss)en"
    r"|(?:freundliche|beste|viele|liebe|herzliche) grü(?:ß|ss)e|z (?:poważaniem|wyrazami szacunku)"
    r"|(?:serdecznie )?pozdrawiam|un (?:cordial )?saludo|atte\b\.?|cheers,|(?:many )?thanks,|mange tak,)"
    r"(?: fra| from| de)?"
)
"""Ends of letters: a name follows on the same line or one of the next two."""

FIELD = (
    r"(?:kontaktpers(?:on|oner|onen|onal)|kontakt(?:information|oplysninger|info)?"
    r"|contact(?: ?person| details| information)?|att(?:n|ention)?|ansprechpartner(?:in)?|ansprechperson"
    r"|osob[aąy] (?:do kontaktu|kontaktow\w)|persona de contacto|contacto|responsable|jefe directo"
    r"|контакт(?:ное лицо|ы)?|контактные лица|recruiter|rekrutterer|rekryterare|hiring manager|line manager"
    r"|nærmeste leder|ansættende leder|leder|rekrutteringskonsulent|faglig kontakt|(?:full )?name|navn"
    r"|fulde navn"
    r"|nombre(?: y apellidos?| completo)?|ф\.?и\.?о|имя|imię i nazwisko|namn|vor- und nachname"
    r"|ansvarlig(?:e)?(?: for [\w-]{3,25})?|responsible(?: for [\w-]{3,25})?"
    r"|sagsbehandler|case officer|interviewer|tillidsrepræsentant"
    r"|henvendelse|henvendelser|spørgsmål|questions|enquiries|fao|supervisor|reclutador[a]?|consultas) ?:"
)
"""A field of a form or of a list of contacts: the name follows the colon."""

ASKING = (
    r"(?:kontaktperson(?:en)?(?: er)?|contact person(?: is)?|ansprechpartner(?:in)?(?: ist)?|контактное лицо"
    r"|kontakt(?:e|er|es)?|ring(?:e)?(?: gerne)? til|skriv(?:e)?(?: gerne)? til"
    r"|henvend(?:else|e dig|e sig|elser)? til|henvendelser? (?:til|hos)|spørg efter|tal(?:e)? med|tag fat i"
    r"|fat i|stiles til|rettes til|mailes? til|(?:op|under)søg hos|oplysninger\w* (?:hos|fra|fås hos|ved)"
    r"|fås (?:hos|ved)|indhentes hos|sendes til|få mere at vide (?:hos|af)|besvares af|contact(?:ing)?"
    r"|call(?:ing)?|ask for|look for|speak (?:to|with)|talk (?:to|with)|reach out to|reports? to|reporting to"
    r"|get in touch with|in touch with|in contact with|write to|send (?:it|your cv|them) to"
    r"|for the attention of|attention of|addressed to|obtained (?:from|by contacting)|enquiries to"
    r"|inquiries to|forward to|c\.?v\.?s? to|interview with|directed to|please see|contact[ae]r?(?: con| a)"
    r"|póngase en contacto con|ponerse en contacto con|pregunta(?:r|ndo)? por|llam(?:ar|e|a) a"
    r"|escrib(?:ir|a|e) a|dirigirse a|dirigid[ao] a|hablar con|a la atención de|atención a|обращаться к"
    r"|обращайтесь к|обратиться к|спросить|спрашивать|звоните|звонить|связаться с|пишите|писать|kontakta"
    r"|ring upp|fråga efter|hör av dig till|vänd dig till|upplysningar lämnas av|henvendelse rettes til"
    r"|ta kontakt med|spør etter|kontaktiere?n? sie|kontaktieren|wenden sie sich an|rufen sie|bewerbung an"
    r"|z\. ?hd\.|messag(?:e|ing)|meet|mød|hils på|say hello to|fragen sie nach|zu händen(?: von)?"
    r"|skontaktować się z|proszę pytać o|pytać o|kierować do|spørg)"
)
"""Asks the reader to turn to somebody: a role may stand between it and the name."""

ASKING_FOR = (
    r"(?:ask(?:ing)? for|look for|spørg(?:e)? efter|fråga efter|spør etter|fragen sie nach"
    r"|preguntar? por|pregunte por|спросить|спрашивать|pytać o|hils på|say hello to)"
)
"""Asks for somebody by name: a given name is enough when nothing follows that it could belong to."""

DIRECT = (
    r"(?:e-?mail(?:ing)?|phone|text|message|att\.?|at\.(?= [^\W\d_]+ [^\W\d_])|attn\.?|fao|c/o|v/ ?"
    r"|mærket:?|mrk\.?:?|marked)"
)
"""Asks to turn to somebody only when the name follows at once."""

SAYING = (
    r"(?:siger|fortæller|udtaler|forklarer|ledet af|ledes af|anført af|grundlagt af|stiftet af|ejes af"
    r"|drives af|says|explains|held by"
    r"|led by|headed by|founded by|chaired by|managed by|supervised by|awarded to|assessed by"
    r"|dice|afirma|explica|dirigid[ao] por|fundad[ao] por|liderad[ao] por|говорит|рассказывает"
    r"|под руководством"
    r"|säger|berättar|leds av|sier|forteller|ledes av|sagt|geleitet von|mówi|made by professor"
    r"|søges af|tager over efter|afløser|efterfølger|vikar for|overtager (?:stillingen |posten )?efter"
    r"|på vegne af|i navnet"
    r"|wanted by|tak(?:e|es|ing) over from|successor to|cover for|on behalf of|in the name of|recipient"
    r"|modtager"
    r"|(?:leder|manager|supervisor|recruiter|chef) (?:er|bliver|is|will be)"
    r"|udvalget består af|panel(?: will)? consists? of"
    r"|interviews? (?:with|by|are with|will be (?:held )?(?:by|with))"
    r"|samtaler(?:ne)? (?:holdes|afholdes|foregår|gennemføres) (?:af|med)"
    r"|(?:reclutadora?|jef[ea]|supervisora?) (?:es|será)"
    r"|entrevista (?:será )?con|reemplazo de|en reemplazo de|a nombre de|titular|trabajarás con"
    r"|на имя|получатель|вместо"
    r"|my name is|jeg hedder|mit navn er|jag heter|me llamo|меня зовут|ich heiße|nazywam się)"
)
"""Says what somebody said, leads, did before or is called: a full name counts, and a given name that ends
what is said."""

HONORIFIC = (
    r"(?:Mr|MR|Mrs|MRS|Ms|MS(?=\.)|Miss|Mx|Dr|DR|Prof|Hr|Frk|Fru|Sr|SR(?=\.)|Sra|SRA(?=\.)|Srta|Dña|DÑA|Doña|doña"
    r"|Don|don|[Ss]eñora?"
    r"|[Hh]errn?|Frau|Pani?|Panią|Panem|Panu|hr|fru|frk|[Гг]-н[уа]?|[Гг]-ж[аеу]|[Гг]-жой|[Гг]осподин"
    r"|[Гг]оспожа"
    r"|[Pp]rofessor|[Ll]ektor|[Aa]djunkt|[Pp]rofesora?|Sir|Dame)\.?"
    r"|(?:[Cc]on|CON|[Pp]or|a|A|y|contacto:|de) D\.(?=[ \u00a0][^\W\d_]{3})"
)
"""Forms of address before a name."""

ANSWERING = re.compile(
    r"(?: \([^()\n]{2,40}\))?[ \u00a0]{1,2}(?:svarer (?:gerne )?på"
    r"|(?:is|er) (?:happy|glad|available|klar|parat|ready)"
    r" (?:to|til)|står (?:klar|parat)"
    r"|will (?:be happy|gladly|answer)|answers? (?:your )?questions|fortæller gerne|hjælper gerne"
    r"|træffes|kan træffes|vil vende tilbage|kontakter dig|ringer dig op|will get back to"
    r"|(?:siger|fortæller|udtaler|says|dice|säger|sier|sagt|говорит)(?=:)"
    r"|kan kontaktes|can be (?:reached|contacted)|estará encantad[ao]|ответит|svarar gärna|svarer gjerne)\b"
)
"""After a name at the beginning of a sentence: "Aisha svarer gerne på spørgsmål"."""

REACHED = re.compile(
    r"[ \u00a0]?(?:[,;:(–-]|[ \u00a0]-)?[ \u00a0]?\n?"
    r"(?:(?:på|at|on|via|al|en el|en|unter|pod|по|under|by|for|eller|or|or by|og|and|direkte|directly"
    r"|telefonisk|i dag|today"
    r"|now|nu|gerne)[ \u00a0])?"
    r"(?:\(?\b(?:tlf|tel|tlfnr|telefon\w{0,6}|phone|mob|mobil\w{0,4}|mobile|cell|nr|nummer|number|mail"
    r"|e-?mail|email"
    r"|linkedin|teléfono|tfno|telf|móvil|correo|тел|телефон\w{0,3}|почт\w{0,3}|direkte|direct|whatsapp|ext|lokal"
    r"|cpr)\b"
    r"|[(<\[]{0,2}(?:\+|[(]?0[0-9]{2}|\*\*|[0-9][0-9 ()-]{6}|phone|contact|tel|mail|e-?mail)"
    r"|\(apply online|on \*|https?://|www\.|linkedin\.com/|(?:www\.)?(?:github|facebook)\.com/)",
    re.IGNORECASE,
)
"""After a name: how the person is reached."""

BEFORE_CONTACT = re.compile(
    r"(?:[ \u00a0\n\t,:;(\[<\-–—|/•·*]"
    r"|\b(?:tlf|tlfnr|tel|telefon|telefonnr|telefonnummer|mobil|mobiltelefon|mob|phone|mobile|cell|ph|m"
    r"|t|e|p|f|d|dir"
    r"|e-?mail|mail|email|på|at|on|via|under|nr|nummer|number|direkte|direct|directly|og|and|eller|or"
    r"|by|al|en|correo"
    r"|móvil|teléfono|тел|телефон|моб|по|почта|unter|pod|numer|numerem|telefonu|cpr|cpr-nr|cprnr"
    r"|cpr-nummer|rut|run|инн|снилс|no|født|f|born|dk|kontakt"
    r"|office|desk|arbejde|work|whatsapp|sms|ring|send|a line)\b\.?){0,12}\Z",
    re.IGNORECASE,
)
"""What may stand between a name and the telephone number or e-mail address that follows it."""

AND = re.compile(
    r",? ?(?:\b(?:og|eller|samt|and|or|och|eller|und|oder|og/eller|and/or|y|o|e|и|или|i|lub)\b|[,&/]) ?",
)
"""Between two names of one list."""

CLOSING = (
    r"(?:look(?:ing)? forward to (?:hearing|meeting|receiving|reading|seeing|welcoming)"
    r"|glæder (?:os|mig) til at (?:høre|læse|møde|modtage|se))[^.!?\n]{0,40}[.!]?\n{1,2}"
)
"""The last sentence of a letter without a formula of greeting: a full name may follow on the next line."""

PARTICLES = frozenset(
    "van von vom zu zur der den de del della di da do dos das du la le las los af av ten ter te bin ibn al el"
    " d'".split()
)
"""Small words inside a surname (Anders Langkilde af Rosenborg, Ana de la Cruz)."""
