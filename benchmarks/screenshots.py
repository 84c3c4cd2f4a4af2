"""Takes the README's pictures from two runs' report.html, by headless Chromium.

python benchmarks/screenshots.py runs/head/report.html runs/whole-network/report.html
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import browser
from playwright.sync_api import FloatRect

# File, report, and the part of the page, from the first element's top to the last one's bottom.
PICTURES = (
    ("report.png", 0, "header", "#confusion"),
    ("learning.png", 0, "#learning", "#learning"),
    ("trained.png", 1, "#learning", "#learning"),
)
WIDTH, MARGIN = 1000, 12  # pixels
BOX = "selector => document.querySelector(selector).getBoundingClientRect().toJSON()"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reports", nargs=2, type=Path, metavar="report.html")
    reports = parser.parse_args().reports
    program = browser.find()
    if program is None:
        sys.exit("expected a Chromium; found none on the PATH: install one")
    with browser.chromium(program) as chromium:
        page = chromium.new_page(viewport={"width": WIDTH, "height": 800})
        for name, number, first, last in PICTURES:
            page.goto(reports[number].resolve().as_uri())
            top = max(0, page.evaluate(BOX, first)["top"] - MARGIN)
            height = page.evaluate(BOX, last)["bottom"] + MARGIN - top
            target = ROOT / "docs" / name
            target.parent.mkdir(exist_ok=True)
            clip = FloatRect(x=0, y=top, width=WIDTH, height=height)
            page.screenshot(path=target, clip=clip, full_page=True)


if __name__ == "__main__":
    main()
