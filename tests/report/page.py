"""Whether a report's page is whole: tags in order, nothing that runs, nothing from elsewhere, tables that can be read aloud.

    page.py REPORT.html

Prints what is wrong, one a line, and ends with 1 when anything is.
"""

import sys
from html.parser import HTMLParser

VOID = {"meta", "col", "line", "br", "hr", "img", "link", "input"}
FORBIDDEN = {"script", "iframe", "object", "embed", "link", "img", "form", "base"}


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.tables, self.charts, self.ids = [], [], 0, 0, set()
        self.columns = self.cells = None

    def say(self, what):
        self.wrong.append(f"line {self.getpos()[0]}: {what}")

    def look(self, tag, attributes):
        names = dict(attributes)
        if tag in FORBIDDEN:
            self.say(f"<{tag}>")
        for name, value in attributes:
            if name.startswith("on") or name in ("src", "href", "xlink:href", "action"):
                self.say(f"{name} of <{tag}>")
            if value and ("javascript:" in value or "url(" in value):
                self.say(f"{name}={value}")
        if "id" in names:
            if names["id"] in self.ids:
                self.say(f"id {names['id']} twice")
            self.ids.add(names["id"])
        if tag == "table":
            self.tables += 1
            self.columns = 0
        if tag == "th":
            if names.get("scope") not in ("col", "row"):
                self.say("<th> without scope")
            if names.get("scope") == "col":
                self.columns += 1
        if tag == "tr":
            self.cells = 0
        if tag in ("td", "th"):
            self.cells += 1
        if tag == "svg":
            self.charts += 1
            if names.get("role") != "img" or not set(names.get("aria-labelledby", "").split()):
                self.say("<svg> without words")
            self.labels = names.get("aria-labelledby", "").split()

    def handle_starttag(self, tag, attributes):
        self.look(tag, attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.look(tag, attributes)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.say(f"</{tag}> closes what is not open")
        if tag == "tr" and self.cells != self.columns:
            self.say(f"{self.cells} cells under {self.columns} headings")
        if tag == "svg":
            for label in self.labels:
                if label not in self.ids:
                    self.say(f"no {label}")


with open(sys.argv[1], encoding="utf-8") as file:
    text = file.read()
page = Page()
page.feed(text)
page.close()
if page.open:
    page.wrong.append(f"never closed: {page.open}")
if not text.startswith("<!DOCTYPE html>") or '<html lang="ja">' not in text:
    page.wrong.append("neither a doctype nor a language")
if page.tables < 13 or page.charts != 3:
    page.wrong.append(f"{page.tables} tables, {page.charts} charts")
print("\n".join(page.wrong))
sys.exit(bool(page.wrong))
