#!/usr/bin/env python3
"""Opens HTML reports in headless Chromium as their readers would, and says what is wrong with them.

check_page.py [--ids FILE] [--picture FOLDER] PAGE...   checks these pages
check_page.py --make PROGRAM                            lets PROGRAM write pages into a folder, checks them

Exit code 0: nothing wrong; 1: something is; 77: no browser here (under CI=true that is 1).
"""

import argparse
import base64
import os
import pathlib
import subprocess
import sys
import tempfile

from webdriver import Browser, BrowserMissing

SCREENS = [(1280, 900, "light"), (1280, 900, "dark"), (390, 844, "light"), (390, 844, "dark"), (320, 640, "light")]
A4_WIDTH = 688  # of the printed area in CSS pixels: 210 mm less the margins

# What stands out of the page to the right, and texts that stand out of their drawing.
OVERFLOW = """
const wrong = [];
const root = document.documentElement, limit = root.clientWidth + 1;
if (root.scrollWidth > limit) wrong.push(`the page is ${root.scrollWidth} wide on a screen of ${root.clientWidth}`);
for (const element of document.body.querySelectorAll('*')) {
  if (element.closest('svg') && element.tagName !== 'svg' || element.closest('.stack thead')) continue;
  const box = element.getBoundingClientRect();
  if (box.width > 0 && (box.right > limit || box.left < -1)) {
    wrong.push(`${element.tagName}.${element.className.baseVal ?? element.className} reaches from ${box.left} to ${box.right}: ${element.textContent.slice(0, 60)}`);
  }
}
for (const badge of document.querySelectorAll('.status .badge')) {
  if (badge.getBoundingClientRect().right > badge.parentElement.getBoundingClientRect().right + 1) {
    wrong.push(`a badge stands out of its cell: ${badge.textContent}`);
  }
}
for (const text of document.querySelectorAll('svg text')) {
  const box = text.getBBox(), frame = text.ownerSVGElement.viewBox.baseVal;
  if (box.x < frame.x - 1 || box.x + box.width > frame.width + 1 || box.y < frame.y - 2 || box.y + box.height > frame.height + 2) {
    wrong.push(`a drawing's text is cut off: ${text.textContent} in ${text.ownerSVGElement.textContent.slice(0, 60)}`);
  }
}
return wrong.slice(0, 12);
"""

# Texts that lie over each other within a drawing.
OVERLAP = """
const wrong = [];
for (const drawing of document.querySelectorAll('figure svg')) {
  const boxes = [...drawing.querySelectorAll('text')].map(text => [text.getBBox(), text.textContent]);
  for (let one = 0; one < boxes.length; ++one) for (let other = one + 1; other < boxes.length; ++other) {
    const [a, b] = [boxes[one][0], boxes[other][0]];
    if (a.x + 1 < b.x + b.width && b.x + 1 < a.x + a.width && a.y + 3 < b.y + b.height && b.y + 3 < a.y + a.height) {
      wrong.push(`${boxes[one][1]} | ${boxes[other][1]} in ${drawing.textContent.slice(0, 50)}`);
    }
  }
}
return wrong.slice(0, 12);
"""

# Contrast of every text with the ground that it stands on (WCAG 2.1, relative luminance).
CONTRAST = """
const number = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
const channel = c => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const ground = element => {
  for (let at = element; at; at = at.parentElement) {
    const colour = number(getComputedStyle(at).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
};
const wrong = new Set();
for (const element of document.body.querySelectorAll('*')) {
  if (element.closest('svg')) continue;
  if (![...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())) continue;
  const one = luminance(number(getComputedStyle(element).color)), other = luminance(ground(element));
  const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  if (contrast < 4.5) wrong.add(`${element.tagName}.${element.className} has a contrast of ${contrast.toFixed(2)}`);
}
return [...wrong].slice(0, 12);
"""

ROWS = """
return [...document.querySelectorAll('[data-requirement]')].map(row => ({
  id: row.dataset.requirement, height: row.getBoundingClientRect().height,
  badge: row.querySelector('.badge').innerText.trim(), quotes: row.querySelectorAll('q').length}));
"""


class Checker:
    def __init__(self, browser):
        self.browser = browser
        self.page = None
        self.wrong = []

    def say(self, what):
        self.wrong.append(f"{self.page.name}: {what}")

    def check(self, page, ids, pictures):
        self.page = page
        # Chromium's own first page asks for its own parts.
        self.browser.open("about:blank")
        self.browser.log("browser")
        self.browser.requests()
        # Hostile texts are as wide in both colours; two screens of them will do.
        for width, height, scheme in SCREENS[1:3] if page.name.startswith("hostile") else SCREENS:
            self.check_screen(width, height, scheme, pictures)
        self.check_content(ids)
        self.check_print(pictures)
        for entry in self.browser.log("browser"):
            self.say(f"the console says {entry['level']}: {entry['message']}")
        for address in self.browser.requests():
            if address != page.as_uri() and not address.startswith("data:"):
                self.say(f"it asked for {address}")

    def check_screen(self, width, height, scheme, pictures):
        self.browser.resize(width, height, scheme)
        self.browser.open(self.page.as_uri())
        for line in self.browser.run(OVERFLOW):
            self.say(f"at {width} pixels {line}")
        for line in self.browser.run(CONTRAST):
            self.say(f"in {scheme} {line}")
        for line in self.browser.run(OVERLAP):
            self.say(f"texts of a drawing lie over each other: {line}")
        dark = self.browser.run("return getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
        if dark != (scheme == "dark"):
            self.say(f"in {scheme} its ground is {'dark' if dark else 'light'}")
        verdict = self.browser.run("const word = document.querySelector('#verdict .word'), box = word.getBoundingClientRect();"
                                   "return [word.innerText.trim(), box.top, box.bottom]")
        hostile = self.page.name.startswith("hostile")  # its heading alone fills a phone
        if not verdict[0] or verdict[1] < 0 or (verdict[2] > height and not hostile):
            self.say(f"at {width} × {height} the verdict is not on the first screen: {verdict}")
        if pictures:
            self.take_picture(pictures / f"{self.page.stem}.{width}.{scheme}.png", width)

    def take_picture(self, path, width):
        whole = min(24000, self.browser.run("return document.documentElement.scrollHeight"))
        for part, top in enumerate(range(0, whole, 2400)):
            shot = self.browser.devtools("Page.captureScreenshot", captureBeyondViewport=True, clip={
                "x": 0, "y": top, "width": width, "height": min(2400, whole - top), "scale": 1})
            path.with_suffix(f".{part:02}.png").write_bytes(base64.b64decode(shot["data"]))

    def check_content(self, ids):
        if not self.browser.run("return document.documentElement.lang"):
            self.say("it does not say its language")
        rows = self.browser.run(ROWS)
        if not rows:
            self.say("it has no row of a requirement")
        for row in rows:
            if row["height"] < 10 or not row["badge"] or row["quotes"] == 0:
                self.say(f"the row of {row['id'][:40]} is not whole: {row}")
        if ids is not None and [row["id"] for row in rows if row["id"] in ids] != [row["id"] for row in rows]:
            self.say("it has rows of requirements that it should not have")
        if ids is not None and set(ids) != {row["id"] for row in rows}:
            self.say(f"these requirements have no row: {sorted(set(ids) - {row['id'] for row in rows})}")
        for title in self.browser.run("return [...document.querySelectorAll('svg')].filter(drawing => "
                                      "!drawing.querySelector('title')).map(drawing => drawing.outerHTML.slice(0, 80))"):
            self.say(f"a drawing has no title: {title}")
        if self.browser.run("return document.scripts.length + document.images.length"):
            self.say("it has scripts or images")

    def check_print(self, pictures):
        self.browser.resize(A4_WIDTH, 970, "light", "print")
        for line in self.browser.run(OVERFLOW):
            self.say(f"printed {line}")
        if self.browser.run("return getComputedStyle(document.querySelector('nav')).display") != "none":
            self.say("its contents are printed")
        hidden = self.browser.run("return [...document.querySelectorAll('[data-requirement]')]"
                                  ".filter(row => row.getBoundingClientRect().height < 10).length")
        if hidden:
            self.say(f"{hidden} rows are not printed")
        # On a dark desktop, too, paper is white.
        self.browser.resize(A4_WIDTH, 970, "dark", "print")
        if self.browser.run("return getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)":
            self.say("it prints on a dark ground")
        document = base64.b64decode(self.browser.devtools("Page.printToPDF", preferCSSPageSize=True,
                                                          printBackground=False)["data"])
        if not document.startswith(b"%PDF-") or len(document) < 5000:
            self.say("it cannot be printed")
        if pictures:
            (pictures / f"{self.page.stem}.pdf").write_bytes(document)


def check_pages(pages, ids, pictures):
    with Browser() as browser:
        checker = Checker(browser)
        for page in pages:
            checker.check(page, ids if page.name.startswith("report") or ids is None else None, pictures)
        for line in checker.wrong:
            print(line)
        print(f"{len(pages)} pages opened, {len(checker.wrong)} things wrong")
        return 1 if checker.wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", type=pathlib.Path, metavar="PAGE")
    parser.add_argument("--ids", type=pathlib.Path, help="file with the ids of the requirements, one a line")
    parser.add_argument("--make", type=pathlib.Path, help="program that writes pages and ids.txt into a folder")
    parser.add_argument("--pictures", type=pathlib.Path, help="folder for screenshots and PDFs, for people to look at")
    arguments = parser.parse_args()
    if bool(arguments.pages) == bool(arguments.make):
        parser.error("give pages, or --make")
    with tempfile.TemporaryDirectory(prefix="assay-pages-") as folder:
        pages, ids_file = [page.resolve() for page in arguments.pages], arguments.ids
        if arguments.make:
            subprocess.run([arguments.make, folder], check=True)
            pages = sorted(pathlib.Path(folder).glob("*.html"))
            ids_file = pathlib.Path(folder) / "ids.txt"
        ids = ids_file.read_text().split() if ids_file else None
        try:
            return check_pages(pages, ids, arguments.pictures)
        except BrowserMissing as error:
            print(error)
            return 1 if os.environ.get("CI") == "true" else 77


if __name__ == "__main__":
    sys.exit(main())
