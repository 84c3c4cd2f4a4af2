"""Takes the README's pictures from a run's report.html, by headless Chromium.

python benchmarks/screenshots.py runs/2026-11-24-160000/report.html
"""

import base64
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import browser

# File, report, and the part of the page, from the first element's top to the last one's bottom.
PICTURES = (
    ("report.png", 0, "header", "#confusion"),
    ("learning.png", 0, "#learning", "#learning"),
    ("trained.png", 1, "#learning", "#learning"),
)
WIDTH = 1000


def main():
    program = browser.find()
    if program is None or len(sys.argv) != 3:
        sys.exit("expected a Chromium and two arguments, the paths of two report.html")
    with tempfile.TemporaryDirectory() as profile, browser.Browser(program, Path(profile)) as page:
        page.call(
            "Emulation.setDeviceMetricsOverride",
            width=WIDTH, height=800, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        for name, number, first, last in PICTURES:
            page.open(Path(sys.argv[1 + number]).resolve())
            top = page.value(f"document.querySelector('{first}').getBoundingClientRect().top")
            bottom = page.value(f"document.querySelector('{last}').getBoundingClientRect().bottom")
            clip = {"x": 0, "y": max(0, top - 12), "width": WIDTH, "height": bottom - top + 24}
            shot = page.call(
                "Page.captureScreenshot", clip=clip | {"scale": 1}, captureBeyondViewport=True
            )
            target = ROOT / "docs" / name
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(base64.b64decode(shot["data"]))


if __name__ == "__main__":
    main()
