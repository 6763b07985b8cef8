"""What is new in a message: without what it answers, and without its signature."""

from __future__ import annotations

import pytest

from cgsync.formats import LANGUAGES, MailOptions
from tests.formats.letters import data, letter

NEW = "Thank you, that helps.\n\nOne more question: when?"


def trimmed(text: str, options: MailOptions | None = None) -> str:
    read = data(letter("Content-Type: text/plain; charset=utf-8", body=text), options)
    assert read["text"] == text.strip("\n")
    return str(read["trimmed"])


@pytest.mark.parametrize(
    "line",
    [
        "On Mon, Mar 2, 2026 at 10:00 AM Bob <bob@b.example> wrote:",
        "On 2 Mar 2026, at 10:00, Bob wrote:",
        "On Mon, Mar 2, 2026 at 10:00 AM Bob Longname\n<bob@b.example> wrote:",
        "On Mon, Mar 2, 2026 at 10:00 AM\nBob Longname\n<bob@b.example> wrote:",
        "2026-03-02 10:00 GMT+01:00 Bob <bob@b.example> wrote:",
        "Am 02.03.26 um 10:00 schrieb Bob:",
        "Am Mo., 2. März 2026 um 10:00 Uhr schrieb Bob <bob@b.example>:",
        "Bob <bob@b.example> schrieb am Mo., 2. März 2026, 10:00:",
        "Le lun. 2 mars 2026 à 10:00, Bob <bob@b.example> a écrit :",
        "El lun, 2 mar 2026 a las 10:00, Bob (<bob@b.example>) escribió:",
        "Il giorno lun 2 mar 2026 alle ore 10:00 Bob <bob@b.example> ha scritto:",
        "Op ma 2 mrt 2026 om 10:00 schreef Bob <bob@b.example>:",
        "Em seg., 2 de mar. de 2026 às 10:00, Bob <bob@b.example> escreveu:",
        "W dniu 02.03.2026 o 10:00, Bob pisze:",
        "Den mån 2 mars 2026 kl 10:00 skrev Bob <bob@b.example>:",
        "man. 2. mars 2026 kl. 10:00 skrev Bob <bob@b.example>:",
        "ma 2. maalisk. 2026 klo 10.00 Bob (bob@b.example) kirjoitti:",
        "Dne 02.03.2026 v 10:00 Bob napsal(a):",
        "-----Opprinnelig melding-----",
        "-----Původní zpráva-----",
        "Lähettäjä: Bob\nLähetetty: maanantai\nVastaanottaja: Ann\nAihe: Hei",
        "Od: Bob\nOdesláno: pondělí\nKomu: Ann\nPředmět: Ahoj",
        "-----Original Message-----",
        "-------- Ursprüngliche Nachricht --------",
        "---------- Forwarded message ---------",
        "________________________________\nFrom: Bob <bob@b.example>\nSent: Monday\nTo: Ann\nSubject: Hello\n",
        "Von: Bob\nGesendet: Montag, 2. März 2026 10:00\nAn: Ann\nBetreff: Hallo",
        "*From:* Bob\n*Sent:* Monday\n*To:* Ann\n*Cc:* Carl\n*Subject:* Hello",
        "De : Bob\nEnvoyé : lundi\nÀ : Ann\nObjet : Bonjour",
    ],
)
def test_what_is_answered_is_cut_in_many_languages(line: str) -> None:
    assert trimmed(f"{NEW}\n\n{line}\n\nan old text\nof two lines") == NEW


def test_answers_between_and_below_quoted_lines_stay() -> None:
    text = "On 2 Mar 2026 Bob wrote:\n\n> one?\n\nYes.\n\n> two?\n> three?\n\nNo.\nBest, Ann"
    assert trimmed(text) == "Yes.\n\n\nNo.\nBest, Ann"


@pytest.mark.parametrize(
    "text",
    [
        "As my boss wrote:\nwe agree.",
        "On Monday the following happened:\nnothing",
        "From: here\nto there it is far.",
        "--more--\nnot a signature",
        "a -- b",
        "I sent from my house to a@b.example:\nnothing",
        "On 2 Mar:\nwe meet",
    ],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert trimmed(text) == text


@pytest.mark.parametrize(
    "below",
    [
        "-- \nAnn Lee\nAcme",
        "--\nAnn",
        "Sent from my phone",
        "Von meinem iPhone gesendet",
        "\n\nGet Outlook for iOS\n\n",
    ],
)
def test_a_signature_is_cut(below: str) -> None:
    assert trimmed(f"{NEW}\n\n{below}") == NEW


def test_a_signature_above_what_is_answered_is_cut_too() -> None:
    assert trimmed(f"{NEW}\n-- \nAnn\n\nOn 2 Mar 2026 Bob wrote:\n> one?\n") == NEW


@pytest.mark.parametrize(
    "text", ["> only quoted\n> lines", "-- \nAnn", "-----Original Message-----\nFrom: Bob\n\nSee below"]
)
def test_where_nothing_would_be_left_all_of_it_is(text: str) -> None:
    assert trimmed(text) == text


def test_it_can_be_switched_off() -> None:
    text = f"{NEW}\n\n-- \nAnn\n\nOn 2 Mar 2026 Bob wrote:\n> one?"
    assert trimmed(text, MailOptions(quotes=False, signature=False)) == text
    assert trimmed(text, MailOptions(quotes=False)) == NEW
    assert trimmed(text, MailOptions(signature=False)) == f"{NEW}\n\n-- \nAnn"


def test_only_the_languages_asked_for_are_looked_for() -> None:
    text = f"{NEW}\n\nAm 02.03.26 um 10:00 schrieb Bob:\nalt"
    assert trimmed(text, MailOptions(languages=["en"])) == text
    assert trimmed(text, MailOptions(languages=["de"])) == NEW
    assert "de" in LANGUAGES


def test_the_answer_in_html_is_trimmed_by_the_same_words() -> None:
    markup = "<p>Yes.</p><div>On 2 Mar 2026 Bob &lt;bob@b.example&gt; wrote:<br></div><blockquote>one?</blockquote>"
    read = data(letter("Content-Type: text/html", body=markup))
    assert (read["trimmed"], read["html"]) == ("Yes.", markup)


def test_a_line_above_that_begins_alike_is_no_part_of_it() -> None:
    assert trimmed("On Monday, yes.\nOn 2 Mar 2026 Bob <b1@b.example> wrote:\nold") == "On Monday, yes."
    assert trimmed("Yes.\nOn 2 Mar 2026 Bob\n<b1@b.example> wrote:\nold") == "Yes."
