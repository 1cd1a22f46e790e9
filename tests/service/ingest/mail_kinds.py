"""Mails of the kinds that real ones are of, written for these tests: each with what must be read of it."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

SUPPORT = "Support <support@shop.example>"
PARENT = "<parent.1@shop.example>"


@dataclass(frozen=True)
class Kind:
    """One mail."""

    raw: bytes
    expect: dict[str, Any] = field(default_factory=dict)
    """Fields of `inspect_mail`; `thread` is the first reference."""


def plain(
    body: str, *lines: str, charset: str = "utf-8", sender: str = "Ada Rossi <ada@example.org>"
) -> bytes:
    """A mail of one text part, its head as given."""
    head = [f"From: {sender}", f"To: {SUPPORT}", "Message-ID: <m.1@example.org>", *lines]
    if not any(line.lower().startswith("content-type") for line in lines):
        head += [f"Content-Type: text/plain; charset={charset}", "Content-Transfer-Encoding: 8bit"]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body.encode(charset)


def parts(*bodies: bytes, kind: str = "mixed", boundary: str = "bound", lines: tuple[str, ...] = ()) -> bytes:
    """A mail of several parts, each with its own head."""
    head = ["From: Ada Rossi <ada@example.org>", f"To: {SUPPORT}", "Message-ID: <m.1@example.org>", *lines]
    head.append(f'Content-Type: multipart/{kind}; boundary="{boundary}"')
    joint = f"\r\n--{boundary}\r\n".encode()
    return (
        "\r\n".join(head).encode() + b"\r\n" + joint + joint.join(bodies) + f"\r\n--{boundary}--\r\n".encode()
    )


TEXT = b"Content-Type: text/plain; charset=utf-8\r\n\r\nThe parcel is torn, see the picture."


def file(kind: str, name: str, data: bytes, *, disposition: str = "attachment") -> bytes:
    """A part in base64."""
    head = f'Content-Type: {kind}\r\nContent-Disposition: {disposition}; filename="{name}"\r\n'
    return head.encode() + b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(data)


_INTRODUCTIONS = {
    "en gmail": "On Tue, May 5, 2026 at 10:00 AM Support <support@shop.example> wrote:",
    "en apple": "On 5 May 2026, at 10:00, Support <support@shop.example> wrote:",
    "it gmail": "Il giorno mar 5 mag 2026 alle ore 10:00 Support <support@shop.example> ha scritto:",
    "it thunderbird": "Il 05/05/26 10:00, Support ha scritto:",
    "ro gmail": "Pe mar., 5 mai 2026 la 10:00, Support <support@shop.example> a scris:",
    "ro thunderbird": "În 05.05.2026 10:00, Support a scris:",
    "ar gmail": "في الثلاثاء، 5 مايو 2026 في 10:00 ص تمت كتابة ما يلي بواسطة Support <support@shop.example>:",
    "ar outlook": "بتاريخ ٥ مايو ٢٠٢٦، الساعة ١٠:٠٠، كتب Support:",
    "fr gmail": "Le mar. 5 mai 2026 à 10:00, Support <support@shop.example> a écrit :",
    "fr apple": "Le 5 mai 2026 à 10:00, Support <support@shop.example> a écrit :",
    "pt gmail": "Em ter., 5 de mai. de 2026 às 10:00, Support <support@shop.example> escreveu:",
    "pt apple": "No dia 5 de mai. de 2026, às 10:00, Support <support@shop.example> escreveu:",
    "es gmail": "El mar, 5 may 2026 a las 10:00, Support (<support@shop.example>) escribió:",
    "es apple": "El 5 may 2026, a las 10:00, Support <support@shop.example> escribió:",
    "de gmail": "Am Di., 5. Mai 2026 um 10:00 Uhr schrieb Support <support@shop.example>:",
    "de apple": "Am 05.05.2026 um 10:00 schrieb Support <support@shop.example>:",
}
_BLOCKS = {
    "en outlook": (
        "From: Support",
        "Sent: Tuesday, May 5, 2026 10:00 AM",
        "To: Ada Rossi",
        "Subject: Parcel",
    ),
    "it outlook": ("Da: Support", "Inviato: martedì 5 maggio 2026 10:00", "A: Ada Rossi", "Oggetto: Pacco"),
    "ro outlook": ("De la: Support", "Trimis: marți, 5 mai 2026 10:00", "Către: Ada Rossi", "Subiect: Colet"),
    "ar outlook block": ("من: Support", "تاريخ الإرسال: الثلاثاء، 5 مايو 2026", "إلى: Ada", "الموضوع: طرد"),
    "fr outlook": ("De : Support", "Envoyé : mardi 5 mai 2026 10:00", "À : Ada Rossi", "Objet : Colis"),
    "pt outlook": (
        "De: Support",
        "Enviado: terça-feira, 5 de maio de 2026",
        "Para: Ada Rossi",
        "Assunto: Encomenda",
    ),
    "es outlook": (
        "De: Support",
        "Enviado el: martes, 5 de mayo de 2026",
        "Para: Ada Rossi",
        "Asunto: Paquete",
    ),
    "de outlook": (
        "Von: Support",
        "Gesendet: Dienstag, 5. Mai 2026 10:00",
        "An: Ada Rossi",
        "Betreff: Paket",
    ),
}
_SAID = {"en": "Still nothing.", "it": "Ancora niente.", "ro": "Încă nimic.", "ar": "لا شيء حتى الآن."}
_SAID |= {"fr": "Toujours rien.", "pt": "Ainda nada.", "es": "Todavía nada.", "de": "Immer noch nichts."}


def _replies() -> Iterator[tuple[str, Kind]]:
    for name, line in _INTRODUCTIONS.items():
        said = _SAID[name[:2]]
        raw = plain(f"{said}\n\n{line}\n> Hello Ada,\n> it is on its way.\n", f"In-Reply-To: {PARENT}")
        yield f"reply, {name}", Kind(raw, {"stripped_text": said, "thread": PARENT, "automatic": False})
    for name, block in _BLOCKS.items():
        said = _SAID[name[:2]]
        body = "\n".join([said, "", *block, "", "Hello Ada,", "it is on its way."])
        raw = plain(body, f"References: <old@x> {PARENT}")
        yield f"reply, {name}", Kind(raw, {"stripped_text": said, "thread": PARENT, "automatic": False})


PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
BOMB = b"PK\x03\x04" + b"\x00" * 5000
NESTED_FORWARD = (
    b"Content-Type: message/rfc822\r\n\r\nFrom: bob@example.org\r\nSubject: First\r\n\r\nThe inner text"
)
DEEP = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\r\n\r\n--b{n}\r\n' for n in range(2000))


def _single() -> Iterator[tuple[str, Kind]]:
    def kind(name: str, raw: bytes, **expect: Any) -> tuple[str, Kind]:
        return name, Kind(raw, expect)

    yield kind(
        "folded subject", plain("hi", "Subject: a very\r\n long\r\n\tsubject"), subject="a very long subject"
    )
    yield kind(
        "encoded subject in two words",
        plain("hi", "Subject: =?utf-8?B?Q2l0?= =?utf-8?B?dMOg?="),
        subject="Città",
    )
    yield kind(
        "encoded subject in two charsets",
        plain("hi", "Subject: =?iso-8859-1?Q?caf=E9?= =?utf-8?Q?_=E2=82=AC?="),
        subject="café €",
    )
    yield kind(
        "encoded name",
        plain("hi", sender="=?utf-8?Q?=C8=98tefan?= <s@example.org>"),
        sender={"address": "s@example.org", "name": "Ștefan"},
    )
    yield kind(
        "name with a comma",
        plain("hi", sender='"Rossi, Ada" <ada@example.org>'),
        sender={"address": "ada@example.org", "name": "Rossi, Ada"},
    )
    yield kind(
        "address alone",
        plain("hi", sender="ada@example.org"),
        sender={"address": "ada@example.org", "name": ""},
    )
    yield kind("no sender", b"Subject: x\r\n\r\nhello", sender={"address": "", "name": ""}, text="hello")
    yield kind(
        "sender only in Reply-To",
        b"Reply-To: ada@example.org\r\n\r\nhello",
        sender={"address": "ada@example.org", "name": ""},
    )
    for charset in ("iso-8859-15", "windows-1252", "utf-16", "koi8-r"):
        said = {"koi8-r": "Где посылка?"}.get(charset, "Où est mon colis ?")
        yield kind(f"charset {charset}", plain(said, charset=charset), text=said)
    yield kind("arabic in windows-1256", plain("أين طردي؟", charset="windows-1256"), text="أين طردي؟")
    yield kind("japanese in iso-2022-jp", plain("荷物はどこ", charset="iso-2022-jp"), text="荷物はどこ")
    yield kind(
        "a charset that lies",
        plain("x", "Content-Type: text/plain; charset=us-ascii")[:-1] + "Città".encode(),
        text="Città",
    )
    yield kind(
        "a charset that is none", plain("hello", "Content-Type: text/plain; charset=x-klingon"), text="hello"
    )
    yield kind(
        "quoted-printable",
        plain(
            "Citt=C3=A0 =\r\nbella",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: quoted-printable",
        ),
        text="Città bella",
    )
    yield kind(
        "html alone",
        plain("<p>Hello</p><p>there</p>", "Content-Type: text/html; charset=utf-8"),
        text="Hello\nthere",
    )
    tracked = (
        '<p>Hi</p><img src="https://tracker.example/1.gif"><a href="javascript:x()">go</a><style>p{}</style>'
    )
    yield kind("html with trackers", plain(tracked, "Content-Type: text/html; charset=utf-8"), text="Hi\ngo")
    both = parts(TEXT, b"Content-Type: text/html\r\n\r\n<b>other</b>", kind="alternative")
    yield kind("alternatives", both, text="The parcel is torn, see the picture.", attachments=[])
    quoted = "<div>Still nothing.</div><blockquote>Hello Ada</blockquote>"
    yield kind(
        "html reply", plain(quoted, "Content-Type: text/html; charset=utf-8"), stripped_text="Still nothing."
    )
    yield kind("signature", plain("Still nothing.\n-- \nAda\nVia Roma 1"), stripped_text="Still nothing.")
    yield kind(
        "answers between the lines",
        plain("> when?\nToday\n> where?\nHere"),
        stripped_text="> when?\nToday\n> where?\nHere",
    )
    yield kind(
        "original message",
        plain("Thanks\n\n-----Original Message-----\nFrom: Support\nSent: Tuesday\n\nHello"),
        stripped_text="Thanks",
    )
    for name, line in {
        "vacation": "Auto-Submitted: auto-replied", "list": "List-Id: <news.example.org>", "bulk": "Precedence: bulk",
        "junk": "Precedence: junk", "null path": "Return-Path: <>", "autoreply": "X-Autoreply: yes",
    }.items():  # fmt: skip
        yield kind(f"automatic, {name}", plain("I am away", line), automatic=True)
    yield kind(
        "suppressing answers is no robot", plain("hi", "X-Auto-Response-Suppress: All"), automatic=False
    )
    report = parts(
        TEXT, b"Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; x@y\r\nStatus: 5.1.1",
        NESTED_FORWARD, kind="report",
    )  # fmt: skip
    yield kind("bounce", report, automatic=True, text="The parcel is torn, see the picture.")
    yield kind("bounce of a daemon", plain("no such user", sender="MAILER-DAEMON@mx.example"), automatic=True)
    yield kind(
        "attached picture",
        parts(TEXT, file("image/png", "torn.png", PNG)),
        names=["torn.png"],
        types=["image/png"],
    )
    inline = parts(TEXT, file("image/png", "logo.png", PNG, disposition="inline"), kind="related")
    yield kind("inline picture", inline, names=["logo.png"], types=["image/png"])
    yield kind(
        "name in utf-8 words",
        parts(TEXT, file("application/pdf", "=?utf-8?Q?fattur=C3=A0.pdf?=", b"%PDF-1.7")),
        names=["fatturà.pdf"],
        types=["application/pdf"],
    )
    yield kind(
        "name with folders", parts(TEXT, file("image/png", "../../etc/x.png", PNG)), names=["etc_x.png"]
    )
    yield kind(
        "name turned right to left",
        parts(TEXT, file("application/pdf", "fpd\u202eexe", b"MZ")),
        types=["application/vnd.microsoft.portable-executable"],
    )
    yield kind("svg with a script", parts(TEXT, file("image/png", "a.png", SVG)), types=["image/svg+xml"])
    yield kind(
        "page called a picture",
        parts(TEXT, file("image/png", "a.png", b"<!DOCTYPE html><script>x</script>")),
        types=["text/html"],
    )
    yield kind(
        "zip bomb stays closed",
        parts(TEXT, file("application/zip", "b.zip", BOMB)),
        types=["application/zip"],
    )
    tnef = parts(TEXT, file("application/ms-tnef", "winmail.dat", b"\x78\x9f\x3e\x22" + b"\x00" * 20))
    yield kind("winmail.dat", tnef, names=["winmail.dat"], types=["application/ms-tnef"])
    calendar = b"Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR"
    yield kind("calendar", parts(TEXT, calendar), names=["attachment.ics"], types=["text/calendar"])
    yield kind(
        "nested forward",
        parts(TEXT, NESTED_FORWARD),
        text="The parcel is torn, see the picture.",
        names=["First"],
    )
    yield kind(
        "a thousand parts", parts(*[file("image/png", f"{n}.png", PNG) for n in range(1000)]), left_out=900
    )
    yield kind("a thousand texts", parts(*[TEXT] * 1000), automatic=False)
    yield kind(
        "two thousand deep",
        ("From: ada@example.org\r\n" + DEEP + "text").encode(),
        sender={"address": "ada@example.org", "name": ""},
    )
    yield kind(
        "25 MB",
        parts(TEXT, file("application/pdf", "big.pdf", b"%PDF-" + b"x" * 18_000_000)),
        types=["application/pdf"],
    )
    yield kind(
        "header of a megabyte",
        plain("hi", "Subject: s", "X-Long: " + "a" * 1_000_000),
        subject="s",
        text="hi",
    )
    yield kind("subject of a megabyte", plain("hi", "Subject: " + "a" * 1_000_000), text="hi")
    yield kind(
        "header injected by encoding",
        plain("hi", "Subject: =?utf-8?Q?a=0D=0ABcc:_eve@example.net?="),
        subject="a Bcc: eve@example.net",
    )
    yield kind(
        "references over many lines", plain("hi", f"References: <a@x>\r\n <b@x>\r\n {PARENT}"), thread=PARENT
    )
    yield kind(
        "reference as encoded words",
        plain("hi", "In-Reply-To: =?us-ascii?Q?=3Cparent=2E1=40shop=2Eexample=3E?="),
        thread=PARENT,
    )
    yield kind(
        "reply-to before references",
        plain("hi", f"In-Reply-To: {PARENT}", "References: <a@x> <z@x>"),
        thread=PARENT,
    )
    yield kind("case in the subject", plain("hi", "Subject: Re: case 000-00000"), cases=["000-00000"])
    yield kind("bare line feeds", plain("one\ntwo").replace(b"\r\n", b"\n"), text="one\ntwo")
    yield kind("mbox line first", b"From ada@example.org Tue May  5 10:00:00 2026\n" + plain("hi"), text="hi")
    yield kind("empty body", plain(""), text="")


KINDS = dict([*_replies(), *_single()])
