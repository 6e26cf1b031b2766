"""A page as a list of its elements, so that a test can tell markup from text."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"meta", "input", "br", "wbr", "link", "img"})


@dataclass
class Element:
    """One element: its name, its attributes, and all the text inside it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Reader(HTMLParser):
    """Collects elements; raises `AssertionError` for a tag that closes what is not open."""

    elements: list[Element] = field(default_factory=list)
    open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element."""
        closed = self.open.pop()
        assert closed.tag == tag, f"</{tag}> closes <{closed.tag}>"

    def handle_data(self, data: str) -> None:
        """Add a text to all elements that it is in."""
        for element in self.open:
            element.text += data


def read_html(html: str) -> list[Element]:
    """Give all elements of a page in order; it must be closed properly."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader.elements


def texts(elements: list[Element], tag: str) -> list[str]:
    """Give the texts of all elements of a name, each on one line."""
    return [" ".join(element.text.split()) for element in elements if element.tag == tag]


def rows(elements: list[Element]) -> list[list[str]]:
    """Give the cells of all rows of all tables, without the headings."""
    found: list[list[str]] = []
    for element in elements:
        if element.tag == "tr":
            found.append([])
        elif element.tag == "td" or element.attributes.get("scope") == "row":
            found[-1].append(" ".join(element.text.split()))
    return [cells for cells in found if cells]


def links(elements: list[Element]) -> dict[str, str]:
    """Give the address of each link by its text."""
    return {
        " ".join(element.text.split()): element.attributes["href"]
        for element in elements
        if element.tag == "a"
    }
