"""Every text of the page, Danish and English side by side."""

from typing import Any, Literal, get_args

Language = Literal["da", "en"]

LANGUAGES: dict[str, str] = {"da": "Dansk", "en": "English"}
"""The languages by code, each in its own words."""

# fmt: off
WORDS: dict[str, tuple[str, str]] = {
    # the frame
    "tagline": ("Sortér jobannoncer, og se hvor sikkert det er", "Sort job adverts, and see how sure it is"),
    "language": ("Sprog", "Language"),
    "page_classify": ("Sortér", "Sort"),
    "page_review": ("Gennemgå", "Review"),
    "page_model": ("Modellen", "The model"),
    "failed_page": ("Siden kunne ikke vises. Prøv igen; serverens log siger hvor det gik galt.",
                    "The page could not be shown. Try again; the server's log says where it failed."),
    # sort: one advert
    "tab_one": ("Én annonce", "One advert"),
    "tab_file": ("En fil", "A file"),
    "title": ("Titel", "Title"),
    "title_hint": ("fx Tømrer søges", "such as Carpenter wanted"),
    "text": ("Annoncens tekst", "The advert's text"),
    "text_hint": ("Sæt teksten ind her", "Paste the text here"),
    "sort_one": ("Sortér annoncen", "Sort the advert"),
    "needs_text": ("Skriv en titel eller en tekst først.", "Give a title or a text first."),
    "sorting_one": ("Læser annoncen …", "Reading the advert …"),
    # a result
    "sure": ("{share} sikker", "{share} sure"),
    "probability_of": ("Sandsynlighed for {label}: {share}", "Probability of {label}: {share}"),
    "no_label": ("Intet at læse", "Nothing to read"),
    "abstained": ("Et menneske bør se på den: modellen er kun {share} sikker.",
                  "A person should look at it: the model is only {share} sure."),
    "abstained_no_text": ("Et menneske bør se på den: der er ingen tekst at læse.",
                          "A person should look at it: there is no text to read."),
    "answered": ("Modellen er sikker nok til at svare.", "The model is sure enough to answer."),
    "crossing": ("To af de mulige kategorier går på tværs af hinanden; begge kan være rigtige.",
                 "Two of the possible labels cut across each other; both may be right."),
    "candidates": ("De mest sandsynlige", "Most likely"),
    "prediction_set": ("En af disse, hvilket passer for {share} af annoncerne",
        "One of these, which holds for {share} of adverts"),
    "why": ("Derfor", "Why"),
    "why_help": ("Så meget falder sandsynligheden, når ordene tages ud.",
                 "How much the probability falls when the words are taken out."),
    "no_evidence": ("Ingen enkelte ord afgjorde det.", "No single word decided it."),
    "points": ("{points} point", "{points} points"),
    "nearest": ("Lignende annoncer", "Similar adverts"),
    "nearest_help": ("Fra de annoncer modellen har lært af.", "Of the adverts the model learned from."),
    "advert": ("Annoncen, som modellen læser den", "The advert as the model reads it"),
    "advert_plain": ("Annoncen", "The advert"),
    "read": ("{read} af {words} ord læst", "{read} of {words} words read"),
    "pii_none": ("ingen personoplysninger fundet", "no personal data found"),
    "pii_one": ("1 personoplysning streget ud", "1 piece of personal data struck out"),
    "pii_some": ("{count} personoplysninger streget ud", "{count} pieces of personal data struck out"),
    "removed": ("fjernet", "removed"),
    "kind_occupation": ("stilling", "occupation"),
    "kind_skill": ("kompetence", "skill"),
    "kind_task": ("opgave", "task"),
    "kind_word": ("ord", "word"),
    "kind_pii": ("personoplysning", "personal data"),
    "kind_person": ("navn", "name"),
    "kind_email": ("e-mail", "e-mail"),
    "kind_phone": ("telefon", "phone"),
    "kind_address": ("adresse", "address"),
    "kind_id_number": ("nummer", "id number"),
    "kind_url": ("webadresse", "web address"),
    "kind_organisation": ("virksomhed", "organisation"),
    # sort: a file
    "upload": ("Fil med annoncer (CSV, JSONL eller Parquet)", "File of adverts (CSV, JSONL or Parquet)"),
    "column_text": ("Kolonne med teksten", "Column with the text"),
    "column_title": ("Kolonne med titlen", "Column with the title"),
    "column_id": ("Kolonne med id", "Column with the id"),
    "column_none": ("(ingen)", "(none)"),
    "sort_file": ("Sortér {count}", "Sort {count}"),
    "sort_rest": ("Fortsæt med {count}", "Go on with {count}"),
    "adverts_one": ("1 annonce", "1 advert"),
    "adverts": ("{count} annoncer", "{count} adverts"),
    "progress": ("{done} af {count} annoncer", "{done} of {count} adverts"),
    "sorted_count": ("sorteret", "sorted"),
    "unsure_count": ("til et menneske", "for a person"),
    "refused_count": ("ikke læst", "not read"),
    "results_of": ("Resultater: {name}", "Results: {name}"),
    "only_unsure": ("Vis kun dem et menneske bør se på", "Show only those a person should look at"),
    "none_unsure": ("Modellen er sikker på dem alle.", "The model is sure of all of them."),
    "pick_row": ("Vælg en række for at se annoncen.", "Choose a row to see its advert."),
    "field_row": ("Nr.", "No."),
    "field_id": ("Id", "Id"),
    "field_title": ("Titel", "Title"),
    "field_label": ("Kategori", "Label"),
    "field_probability": ("Sikkerhed", "Sureness"),
    "field_unsure": ("Se på den", "Look at it"),
    "field_problem": ("Problem", "Problem"),
    "download_csv": ("Hent CSV", "Download CSV"),
    "download_json": ("Hent JSON", "Download JSON"),
    "to_review": ("Gennemgå de usikre", "Review the unsure ones"),
    # review
    "review_empty": ("Sortér en fil først; så ligger de mest tvivlsomme annoncer her.",
                     "Sort a file first; its most doubtful adverts are then here."),
    "review_go": ("Gå til sortering", "Go to sorting"),
    "review_progress": ("Annonce {place} af {count} · {done} afgjort",
                        "Advert {place} of {count} · {done} decided"),
    "review_done": ("Det var den sidste. Tak.", "That was the last one. Thank you."),
    "review_again": ("Begynd forfra", "Start again"),
    "reviewer": ("Dine initialer (kan udelades)", "Your initials (may be left out)"),
    "decide": ("Hvad er rigtigt?", "What is right?"),
    "other_label": ("En anden kategori", "Another label"),
    "other_hint": ("Vælg eller skriv", "Choose or type"),
    "save_other": ("Gem valget", "Save the choice"),
    "skip": ("Spring over", "Skip"),
    "undo": ("Fortryd", "Undo"),
    "keys_hint": ("Taster: 1, 2, 3 vælger · S springer over · U fortryder.",
                  "Keys: 1, 2, 3 choose · S skips · U undoes."),
    "held": ("Valgt: {label}. Det sendes om lidt.", "Chosen: {label}. It is sent in a moment."),
    "sent_one": ("1 afgørelse er gemt.", "1 decision is stored."),
    "sent_some": ("{count} afgørelser er gemt.", "{count} decisions are stored."),
    "unsent": ("{count} ikke sendt endnu.", "{count} not sent yet."),
    "try_again": ("Prøv igen", "Try again"),
    "download_decisions": ("Hent afgørelserne som CSV", "Download the decisions as CSV"),
    # the model
    "model_facts": ("{labels} kategorier · version {version}", "{labels} labels · version {version}"),
    "metric_accuracy": ("rigtige, når den svarer på alt", "right, when it answers everything"),
    "metric_answered": ("svarer den selv på", "it answers on its own"),
    "metric_precision": ("rigtige af dem, den svarer på", "right of those it answers"),
    "metric_macro_f1": ("makro-F1 over kategorierne", "macro-F1 over the labels"),
    "measured_on": ("Målt på annoncer, som modellen ikke havde lært af. Nye annoncer går lidt dårligere.",
                    "Measured on adverts the model had not learned from. Expect a little less on new ones."),
    "coverage_head": ("Hvor meget skal mennesker se på?", "How much should people check?"),
    "coverage_slider": ("Mennesker ser på", "People check"),
    "coverage_says": ("Ser mennesker på de {checked} mest tvivlsomme, er {right} af resten rigtigt.",
                      "If people check the {checked} most doubtful, {right} of the rest is right."),
    "coverage_says_none": ("Ser ingen på dem, er {right} rigtigt.", "If nobody checks, {right} is right."),
    "coverage_axis": ("Andel som mennesker ser på", "Share that people check"),
    "coverage_right": ("Rigtige af resten", "Right of the rest"),
    "coverage_missing": ("Modellens kort siger ikke, hvor rigtig den er på de sikreste annoncer.",
                         "The model's card does not say how right it is on the surest adverts."),
    "confusion_head": ("Hvad forveksles?", "What is mixed up?"),
    "confusion_help": ("Rækker er den rigtige kategori, søjler modellens bud. Tallene er annoncer.",
                       "Rows are the right label, columns the model's guess. The numbers are adverts."),
    "confusion_cell": ("{truth} læst som {guess}: {count}", "{truth} read as {guess}: {count}"),
    "confusion_truth": ("Rigtig kategori", "Right label"),
    "confusion_guess": ("Modellens bud", "The model's guess"),
    "confusion_count": ("Annoncer", "Adverts"),
    "confusion_all": ("Hele tabellen", "The whole table"),
    "confusion_none": ("Ingen forvekslinger.", "No mix-ups."),
    "confusion_missing": ("Modellens kort har ingen forvekslingstabel. Træn den igen for at få den.",
                          "The model's card has no confusion matrix. Train it again to get one."),
    "labels_head": ("Kategorier", "Labels"),
    "labels_help": ("Så mange annoncer har modellen lært af.", "How many adverts the model learned from."),
    "details_head": ("Tekniske oplysninger", "Technical details"),
    "detail_name": ("Navn", "Name"),
    "detail_version": ("Version", "Version"),
    "detail_encoder": ("Sprogmodel", "Encoder"),
    "detail_joblens": ("Trænet med joblens", "Trained with joblens"),
    "detail_train": ("Annoncer til træning", "Training adverts"),
    "detail_validation": ("Annoncer til validering", "Validation adverts"),
    "detail_test": ("Annoncer til afprøvning", "Test adverts"),
    "detail_ece": ("Kalibreringsfejl", "Calibration error"),
    "detail_coverage": ("Mængder med den rigtige", "Sets that hold the right one"),
    "detail_mean_set_size": ("Kategorier i en mængde", "Labels in a set"),
    "detail_abstain_below": ("Overlader til mennesker under", "Left to people below"),
    # what may go wrong
    "problem_unreachable": ("Tjenesten svarer ikke. Prøv igen om lidt, eller sig det til driften.",
                            "The service does not answer. Try again soon, or tell those who run it."),
    "problem_slow": ("Tjenesten var for længe om at svare. Prøv igen.",
                     "The service took too long to answer. Try again."),
    "problem_key": ("Tjenesten kender ikke sidens nøgle. Sig det til driften.",
                    "The service does not know this page's key. Tell those who run it."),
    "problem_missing": ("Tjenesten kan ikke dette endnu; den er ældre end siden.",
                        "The service cannot do this yet; it is older than this page."),
    "problem_too_large": ("Annoncen er for lang. Forkort den, og prøv igen.",
                          "The advert is too long. Shorten it and try again."),
    "problem_fields": ("Tjenesten kan ikke læse annoncen. Er teksten for lang?",
                       "The service cannot read the advert. Is the text too long?"),
    "problem_busy": ("Der er travlt lige nu. Prøv igen om et minut.",
                     "The service is busy right now. Try again in a minute."),
    "problem_not_ready": ("Tjenesten er ikke klar: {detail}", "The service is not ready: {detail}"),
    "problem_failed": ("Tjenesten fejlede. Prøv igen; dens log siger hvorfor.",
                       "The service failed. Try again; its log says why."),
    "problem_unreadable": ("Tjenesten svarede noget, som siden ikke forstår.",
                           "The service answered something this page does not understand."),
    "problem_file": ("Filen kan ikke læses: {detail}", "The file cannot be read: {detail}"),
}
# fmt: on


class Words:
    """The texts in one language, and its way to write numbers."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._place = get_args(Language).index(language)

    def __call__(self, key: str, **values: Any) -> str:
        """The text of a key, its places filled in."""
        return WORDS[key][self._place].format(**values)

    def number(self, value: int) -> str:
        """`12.345` in Danish, `12,345` in English."""
        grouped = f"{value:,}"
        return grouped.replace(",", ".") if self.language == "da" else grouped

    def decimal(self, value: float, digits: int = 2) -> str:
        """`0,62` in Danish, `0.62` in English."""
        written = f"{value:.{digits}f}"
        return written.replace(".", ",") if self.language == "da" else written

    def share(self, value: float, digits: int = 0) -> str:
        """A fraction as per cent: `97 %` in Danish, `97%` in English. Only all is 100, and only nothing 0."""
        least = 10**-digits
        shown = 100 * value if value in (0, 1) else min(max(100 * value, least), 100 - least)
        return self.decimal(shown, digits) + ("\u00a0%" if self.language == "da" else "%")

    def percent(self, value: float | None) -> int | None:
        """The number of `share`, for a column that writes the sign itself."""
        return None if value is None else int(self.share(value).rstrip("\u00a0%"))

    def kind(self, kind: str) -> str:
        """What a kind of entity is called; an unknown one is called personal data."""
        key = f"kind_{kind}"
        return self(key if key in WORDS else "kind_pii")

    def adverts(self, count: int) -> str:
        """`1 advert`, `12 adverts`."""
        return self("adverts_one") if count == 1 else self("adverts", count=self.number(count))
