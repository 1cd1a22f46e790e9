"""Files from strangers: what they are by their bytes, what they may be called, how they are handed out."""

import re
from typing import Final

from services.ingest.domain.texts import one_line

_SIGNS: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"MZ", "application/vnd.microsoft.portable-executable"),
    (b"\x7fELF", "application/x-executable"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"\x78\x9f\x3e\x22", "application/ms-tnef"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"BEGIN:VCALENDAR", "text/calendar"),
    (b"BEGIN:VCARD", "text/vcard"),
)
_SHOWN: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What a browser may show in place: pictures that carry no script."""
_OFFICE: Final = ("application/vnd.openxmlformats", "application/vnd.oasis", "application/epub")
_MARKUP: Final = re.compile(
    rb"^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,500}?-->\s*)?<(?:!doctype\s+)?(svg|html|script|body|head)\b",
    re.I | re.S,
)
_NOT_IN_NAMES: Final = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_ENDINGS: Final = {
    "text/calendar": ".ics",
    "message/rfc822": ".eml",
    "image/png": ".png",
    "image/jpeg": ".jpg",
}


def sniff(data: bytes, declared: str) -> str:
    """The media type that the bytes show; the declared one only where bytes cannot tell and it is harmless."""
    for sign, kind in _SIGNS:
        if data.startswith(sign):
            return declared if kind == "application/zip" and declared.startswith(_OFFICE) else kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp":
        return "video/mp4"
    markup = _MARKUP.match(data[:2048])
    if markup:
        return "image/svg+xml" if markup.group(1).lower() == b"svg" else "text/html"
    if b"\x00" not in data[:2048] and declared in ("text/plain", "text/csv", "application/json"):
        return declared
    return "application/octet-stream"


def safe_name(name: str, kind: str) -> str:
    """A file name without folders, control and direction marks, at most 120 characters; never empty."""
    clean = _NOT_IN_NAMES.sub("_", one_line(name, 500)).strip(" ._")
    if not clean:
        return "attachment" + _ENDINGS.get(kind, "")
    if len(clean) > 120:
        stem, dot, ending = clean.rpartition(".")
        clean = f"{stem[: 119 - len(ending)]}.{ending}" if dot and len(ending) <= 10 else clean[:120]
    return clean


def serving_headers(name: str, media_type: str) -> dict[str, str]:
    """Headers under which a stranger's file can be opened: pictures in place, all else as a download, never as a page."""
    shown = media_type in _SHOWN
    ascii_name = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    escaped = "".join(
        c if (c.isascii() and c.isalnum()) or c in "._-" else "".join(f"%{b:02X}" for b in c.encode())
        for c in name
    )
    kind = "inline" if shown else "attachment"
    return {
        "Content-Type": media_type if shown else "application/octet-stream",
        "Content-Disposition": f"{kind}; filename=\"{ascii_name}\"; filename*=UTF-8''{escaped}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, max-age=3600",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
