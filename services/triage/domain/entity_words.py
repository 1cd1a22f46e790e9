"""Words that say what a number is, in eight languages, folded as texts are."""

from collections.abc import Mapping
from typing import Final

from services.triage.domain.text import fold


def _folded(words: str) -> frozenset[str]:
    return frozenset(fold(words).split())


ORDER_WORDS: Final = _folded(
    """
    order orders ordernumber orderno order-no ordine ordini comanda comenzii comenzi commande commandes cde pedido pedidos
    encomenda encomendas compra orden bestellung bestellnummer auftrag auftragsnummer bestellnr auftragsnr
    طلب طلبي طلبيه طلبية طلبيتي اوردر الطلب reference ref riferimento referinta referência referencia referenz
    booking purchase vorgangsnummer vorgang ticket case tracking sendungsnummer awb
    """
)
"""A number after one of these is that of an order, a case or a parcel."""

PHONE_WORDS: Final = _folded(
    """
    phone mobile cell tel telephone call ring whatsapp telefono cellulare chiamatemi chiamare telefon mobil sunati
    telefonul téléphone telephone portable joindre appeler appelez rappeler rappelez
    telefone telemóvel celular ligar móvil llamar
    llamarme telefonnummer handy handynummer anrufen erreichbar rufnummer هاتف هاتفي جوال جوالي موبايل تلفون رقمي واتساب واتس
    """
)

CURRENCY_SIGNS: Final[Mapping[str, str]] = {
    "$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "R$": "BRL", "₺": "TRY", "₪": "ILS", "﷼": "SAR",
}  # fmt: skip

CURRENCIES: Final[Mapping[str, str]] = {
    fold(word): code
    for code, words in {
        "EUR": "eur euro euros يورو",
        "USD": "usd dollar dollars dollari dolari dólares dolares dólar دولار bucks",
        "GBP": "gbp pound pounds quid sterline livres libras lire",
        "RON": "ron lei leu",
        "CHF": "chf franken franchi francs sfr",
        "BRL": "brl reais real",
        "MXN": "mxn pesos peso",
        "SAR": "sar ريال",
        "AED": "aed درهم دراهم",
        "EGP": "egp جنيه جنيها",
        "KWD": "kwd دينار دنانير",
    }.items()
    for word in words.split()
}
"""A word beside a number -> ISO 4217; of words that several countries use, the one that customers of Alpha would mean."""

MONTHS: Final[Mapping[str, int]] = {
    fold(word): number
    for number, words in enumerate(
        (
            "january jan gennaio gen ianuarie ian janvier janv janeiro enero ene januar jänner يناير",
            "february feb febbraio februarie février fevrier févr fevereiro fev febrero februar فبراير",
            "march mar marzo martie mars março marco märz maerz mrz مارس",
            "april apr aprile aprilie avril avr abril abr ابريل أبريل نيسان",
            "may maggio mag mai maio mayo مايو",
            "june jun giugno giu iunie juin junho junio juni يونيو حزيران",
            "july jul luglio lug iulie juillet juil julho julio juli يوليو تموز",
            "august aug agosto ago août aout اغسطس أغسطس",
            "september sep sept settembre set septembrie septembre setembro septiembre سبتمبر ايلول",
            "october oct ottobre ott octombrie octobre outubro out octubre oktober okt اكتوبر أكتوبر",
            "november nov novembre noiembrie novembro noviembre نوفمبر",
            "december dec dicembre dic decembrie décembre decembre déc dezembro dez diciembre dezember ديسمبر",
        ),
        start=1,
    )
    for word in words.split()
}
