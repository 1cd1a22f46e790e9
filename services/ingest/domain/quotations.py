"""What somebody wrote in a mail, above the earlier mail that their program has quoted below.

Every rule looks at a line a bounded number of times: mails come from strangers, and pattern libraries for this take
seconds on a few thousand hostile characters.
"""

import re
from typing import Final

_LONGEST_LINE: Final = 400
_WROTE: Final = re.compile(
    r"(?:On|Am|Il|Le|El|Em|No dia|A|La|Pe|În|In)\s.{6,300}\s"
    r"(?:wrote|schrieb|ha scritto|a écrit|escribió|escreveu|a scris)\b.{0,120}[:：]\s*$",
    re.I,
)
_WROTE_ARABIC: Final = re.compile(r"(?:في|بتاريخ|يوم)\s.{4,300}(?:كتب|كتابة).{0,160}[:：]\s*$")
_OLD_MESSAGE: Final = re.compile(r"-{3,}\s?.{3,40}?\s?-{3,}\s*$")
_HEADER: Final = re.compile(r"\*?(From|Von|Da|De la|De|Expéditeur|من)\s?\*?\s?[:：]\*?\s*\S", re.I)
_HEADER_NEXT: Final = re.compile(
    r"\*?(Sent|Date|Gesendet|Datum|Inviato|Data|Envoyé|Enviado|Enviada|Enviado el|Fecha|Trimis|Către|To|An|A|À|Para"
    r"|تاريخ الإرسال|التاريخ|إلى)\s?\*?\s?[:：]",
    re.I,
)


def without_quotation(text: str) -> str:
    """The part above the quotation, without a signature after `-- `; the whole text when nothing stands above.

    A quotation begins at "<date> <person> wrote:" where `>` lines or nothing follow, at a block of mail headers, at
    `-----Original Message-----`, or at the `>` lines that end the text. Answers written between quoted lines stay whole.
    """
    lines = text.split("\n")
    end = next((number for number in range(len(lines)) if _begins(lines, number)), len(lines))
    kept = lines[:end]
    while kept and (kept[-1].lstrip().startswith(">") or not kept[-1].strip()):
        kept.pop()
    for number in range(len(kept) - 1, max(0, len(kept) - 12), -1):
        if kept[number] in ("-- ", "--"):
            del kept[number:]
            break
    visible = "\n".join(kept).strip()
    return visible or text.strip()


def _begins(lines: list[str], number: int) -> bool:
    line = lines[number].strip()
    if len(line) < 4 or len(line) > _LONGEST_LINE or line.startswith(">"):
        return False
    if _OLD_MESSAGE.match(line):
        return any(
            _HEADER.match(following.strip()[:_LONGEST_LINE]) for following in lines[number + 1 : number + 4]
        )
    if _HEADER.match(line):
        following = [one.strip()[:_LONGEST_LINE] for one in lines[number + 1 : number + 4]]
        return sum(1 for one in following if _HEADER_NEXT.match(one)) >= 2
    return _introduces(line, lines, number)


def _introduces(line: str, lines: list[str], number: int) -> bool:
    """A line "On <date> <person> wrote:", perhaps broken in two, before `>` lines or the end."""
    following = number + 1
    if line[-1] not in ":：" and following < len(lines):
        line = f"{line} {lines[following].strip()[:_LONGEST_LINE]}"
        following += 1
    if not (_WROTE.match(line) or _WROTE_ARABIC.match(line)):
        return False
    rest = lines[following : following + 4]
    return any(one.lstrip().startswith(">") for one in rest) or not any(one.strip() for one in rest)
