"""The report as Chromium shows it."""

import browser
import numpy as np
import pytest
from judgements import made_up

from lab import explanation
from lab.report import report

# What a person could not see: pictures that did not load, a page wider than its window, text with
# too little contrast. 4.5 is WCAG 2's AA for small text.
SEEN = """(async () => {
  const icon = document.querySelector('.icon');
  const sprite = new Image();
  sprite.src = getComputedStyle(icon).backgroundImage.slice(5, -2);
  await sprite.decode();
  const light = colour => {
    const c = colour.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
  };
  const ground = light(getComputedStyle(document.body).backgroundColor);
  const contrast = element => {
    const style = getComputedStyle(element);
    const own = light(element instanceof SVGElement ? style.fill : style.color);
    return (Math.max(own, ground) + 0.05) / (Math.min(own, ground) + 0.05);
  };
  const written = [...document.querySelectorAll('body *')].filter(element =>
    !element.closest('title') &&
    [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
  return {
    images: [...document.images].map(image => image.complete && image.naturalWidth),
    icons: sprite.naturalWidth,
    ground: ground,
    overflow: document.documentElement.scrollWidth - innerWidth,
    texts: written.length,
    contrast: Math.min(...written.map(contrast)),
    font: getComputedStyle(document.querySelector('svg text')).fontFamily ===
      getComputedStyle(document.body).fontFamily,
  };
})()"""
FACTS = {"layer": "conv4", "split": "track", "data": "x" * 200}
HISTORY = [{"epoch": i, "loss": 2 / i, "validation_accuracy": 1 - 0.5 / i} for i in (1, 2, 3)]


@pytest.fixture(scope="module")
def chromium():
    """A headless Chromium; the test is skipped, visibly, where there is none."""
    program = browser.find()
    if program is None:
        pytest.skip("no Chromium here: the report cannot be opened")
    with browser.chromium(program) as opened:
        yield opened


def opened(chromium, path, **options):
    """The page of a file, what it asked for, and what it complained about."""
    page = chromium.new_page(**options)
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    return page, asked, complaints


@pytest.fixture(scope="module")
def judgement():
    """What is reported, with made-up heat maps beside the surest mistakes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explanation, "heat_maps", lambda *given: np.ones((len(given[2]), 6, 6)))
        yield made_up(trunk="the weights")


@pytest.fixture(scope="module")
def file(judgement, tmp_path_factory):
    """Its report."""
    folder, counts = tmp_path_factory.mktemp("report"), 10 * np.arange(43)
    report.write(
        folder, judgement, title="Signs", facts=FACTS, history=HISTORY, class_counts=counts
    )
    return folder / "report.html"


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_opens_in_chromium(chromium, judgement, file, scheme, width):
    """No error in the console, nothing fetched, every picture loaded, all text legible."""
    size = {"width": width, "height": 800}
    page, asked, complaints = opened(chromium, file, viewport=size, color_scheme=scheme)
    seen = page.evaluate(SEEN)
    assert len(seen["images"]) == 25 + 12
    assert all(seen["images"])
    assert seen["icons"] == 32 * len(set(judgement.labels.tolist()))
    assert seen["texts"] > 300
    assert seen["contrast"] >= 4.5
    assert (seen["ground"] < 0.05) == (scheme == "dark")
    assert seen["overflow"] <= 0
    assert seen["font"]
    assert complaints == []
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    page.locator("nav a", has_text="Calibration").click()
    assert page.url.endswith("#calibration")
    assert page.evaluate("document.querySelector('#calibration').getBoundingClientRect().top") < 9
    page.close()


@pytest.mark.browser
def test_browser_notices(chromium, tmp_path):
    """The test above would see a script that fails, and a picture that is missing."""
    bad = tmp_path / "bad.html"
    bad.write_text('<title>x</title><img src="missing.png"><script>nothing()</script>')
    page, asked, complaints = opened(chromium, bad)
    assert page.evaluate("document.images[0].naturalWidth") == 0
    assert any("nothing is not defined" in complaint for complaint in complaints)
    assert any("ERR_FILE_NOT_FOUND" in complaint for complaint in complaints)
    assert (tmp_path / "missing.png").as_uri() in asked
    page.close()
