"""The readable text of HTML from strangers."""

from html.parser import HTMLParser
from typing import Final

import nh3

_BLOCKS: Final = frozenset(
    {"p", "div", "tr", "li", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "pre"}
)


class _Reader(HTMLParser):
    """The text of clean HTML: blocks on lines of their own, quotations marked with `>`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = [""]
        self._quoted = 0

    def _line(self) -> None:
        if self.lines[-1].strip(" >"):
            self.lines.append("> " * min(self._quoted, 5))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "blockquote":
            self._quoted += 1
            self._line()
            self.lines[-1] = "> " * min(self._quoted, 5)
        elif tag in _BLOCKS:
            self._line()
        elif tag == "br":
            self.lines.append("> " * min(self._quoted, 5))

    def handle_endtag(self, tag: str) -> None:
        if tag == "blockquote":
            self._quoted = max(0, self._quoted - 1)
            self.lines.append("> " * min(self._quoted, 5))
        elif tag in _BLOCKS:
            self._line()

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if text:
            joint = " " if data[:1].isspace() and self.lines[-1].strip(" >") else ""
            self.lines[-1] += joint + text + (" " if data[-1:].isspace() else "")


def html_to_text(html: str) -> str:
    """The readable text of a page from a stranger: no scripts, styles, images or links."""
    clean = nh3.clean(
        html,
        tags={*_BLOCKS, "br", "blockquote", "b", "i", "em", "strong", "span", "td"},
        attributes={},
        strip_comments=True,
    )
    reader = _Reader()
    reader.feed(clean)
    reader.close()
    return "\n".join(line.rstrip() for line in reader.lines).strip()
