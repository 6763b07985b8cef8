"""The words that mail programs put around what people write, by language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple


class Words(NamedTuple):
    """What programs write above a message that is answered, and below one, in lower case.

    ``leads`` begin and ``verbs`` stand in a line as "On Monday Ann wrote:"; ``original`` stands between dashes;
    ``fields`` begin the lines of "From: … Subject: …", in this order; ``devices`` begin what telephones put below.
    """

    leads: Sequence[str]
    verbs: Sequence[str]
    original: Sequence[str]
    fields: Sequence[str]
    devices: Sequence[str]


WORDS: Mapping[str, Words] = MappingProxyType(
    {
        "en": Words(
            ("on ",),
            ("wrote", "writes", "sent"),
            ("original message", "forwarded message", "original appointment"),
            ("from", "sent", "date", "to", "cc", "subject"),
            ("sent from my ", "get outlook for ", "sent from outlook", "sent from mail for "),
        ),
        "de": Words(
            ("am ",),
            ("schrieb", "geschrieben"),
            ("ursprüngliche nachricht", "originalnachricht", "weitergeleitete nachricht"),
            ("von", "gesendet", "datum", "an", "cc", "betreff"),
            ("von meinem ", "gesendet von ", "gesendet mit ", "diese nachricht wurde von meinem "),
        ),
        "fr": Words(
            ("le ",),
            ("écrit", "ecrit"),
            ("message d'origine", "message d’origine", "message original", "message transféré"),
            ("de", "envoyé", "envoyé le", "date", "à", "cc", "objet"),
            ("envoyé de mon ", "envoyé depuis ", "envoyé à partir de "),
        ),
        "es": Words(
            ("el ",),
            ("escribió", "escribio"),
            ("mensaje original", "mensaje reenviado"),
            ("de", "enviado", "enviado el", "fecha", "para", "cc", "asunto"),
            ("enviado desde mi ", "enviado desde "),
        ),
        "it": Words(
            ("il ", "in data "),
            ("scritto",),
            ("messaggio originale", "messaggio inoltrato"),
            ("da", "inviato", "data", "a", "cc", "oggetto"),
            ("inviato da ", "inviato dal mio "),
        ),
        "nl": Words(
            ("op ",),
            ("schreef", "geschreven"),
            ("oorspronkelijk bericht", "doorgestuurd bericht"),
            ("van", "verzonden", "datum", "aan", "cc", "onderwerp"),
            ("verstuurd vanaf ", "verzonden vanaf ", "verzonden met "),
        ),
        "pt": Words(
            ("em ", "no dia "),
            ("escreveu",),
            ("mensagem original", "mensagem encaminhada"),
            ("de", "enviado", "enviada", "enviada em", "data", "para", "cc", "assunto"),
            ("enviado do meu ", "enviado de ", "enviado via "),
        ),
        "pl": Words(
            ("w dniu ", "dnia "),
            ("napisał", "napisała", "napisał(a)", "pisze"),
            ("wiadomość oryginalna", "oryginalna wiadomość"),
            ("od", "wysłano", "data", "do", "dw", "temat"),
            ("wysłane z ", "wysłano z "),
        ),
        "sv": Words(
            ("den ",),
            ("skrev",),
            ("ursprungligt meddelande", "originalmeddelande"),
            ("från", "skickat", "datum", "till", "kopia", "ämne"),
            ("skickat från ",),
        ),
        "da": Words(
            ("den ",),
            ("skrev",),
            ("oprindelig meddelelse", "original meddelelse"),
            ("fra", "sendt", "dato", "til", "cc", "emne"),
            ("sendt fra ",),
        ),
        "no": Words(
            ("den ",),
            ("skrev",),
            ("opprinnelig melding", "videresendt melding"),
            ("fra", "sendt", "dato", "til", "kopi", "emne"),
            ("sendt fra ",),
        ),
        "fi": Words(
            (),
            ("kirjoitti",),
            ("alkuperäinen viesti", "välitetty viesti"),
            ("lähettäjä", "lähetetty", "päivämäärä", "vastaanottaja", "kopio", "aihe"),
            ("lähetetty iphone", "lähetetty android", "lähetetty outlook"),
        ),
        "cs": Words(
            ("dne ",),
            ("napsal", "napsala", "napsal(a)"),
            ("původní zpráva", "původní e-mail", "přeposlaná zpráva"),
            ("od", "odesláno", "datum", "komu", "kopie", "předmět"),
            ("odesláno z ", "odesláno ze "),
        ),
    }
)

LANGUAGES = tuple(WORDS)
