"""The report: its numbers and words, that nothing in it runs or is loaded, and how it opens."""

import base64
import html as html_module
import io
import re
import subprocess
import sys
from html.parser import HTMLParser

import browser
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lab import files
from lab.data import dataset
from lab.errors import LabError
from lab.judging import metrics
from lab.report import feature_map, page, report, sections
from lab.report.report import Evaluation

NAMES = dataset.class_names()
VOID = {"meta", "img", "br", "link", "input", "hr"}


def made_up(n=300, seed=0, **other):
    """An evaluation of noise, about 80% of it named right, with all that a report can show."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(43, size=n)
    logits = (
        generator.normal(0, 1, (n, 43))
        + 6 * np.eye(43)[labels] * (generator.random(n) < 0.7)[:, None]
    )
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    sharper = probabilities**2 / (probabilities**2).sum(axis=1, keepdims=True)
    light = generator.integers(20, 236, (n, 1, 1, 1))
    history = [
        {"epoch": i, "seconds": 0.5, "loss": 2 / i, "validation_accuracy": 1 - 0.5 / i}
        for i in (1, 2, 3)
    ]
    parts = {
        "labels": labels,
        "probabilities": probabilities.astype(np.float32),
        "images": (light + generator.integers(-20, 20, (n, 32, 32, 3))).astype(np.uint8),
        "names": NAMES,
        "index": np.arange(n) + 1000,
        "tracks": np.arange(n) // 5,
        "sizes": generator.integers(15, 200, (n, 2)),
        "uncalibrated": sharper.astype(np.float32),
        "features": generator.normal(0, 1, (n, 20)).astype(np.float16) + labels[:, None],
        "history": history,
        "recipe": {"layer": "conv4", "split": "track", "versions": {"numpy": "2.4"}},
        "class_counts": 10 * np.arange(43),
        "title": "A made-up evaluation",
    }
    return Evaluation(**(parts | other))


def alone(**other):
    """One picture, and nothing known about it."""
    names = ("tracks", "sizes", "uncalibrated", "features", "history", "class_counts")
    return made_up(1, **(dict.fromkeys(names) | {"recipe": {}} | other))


class Reader(HTMLParser):
    """Checks that elements close in order, and keeps attributes and text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.found, self.words = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    def sections(self):
        return [attributes["id"] for tag, attributes in self.found if tag == "section"]


@pytest.fixture(scope="module")
def whole():
    """An evaluation with everything, and its page."""
    evaluation = made_up()
    return evaluation, report.html(evaluation)


def test_page_has_every_section_and_closes_every_element(whole):
    """All that is known is shown, in order."""
    reader = Reader(whole[1])
    assert reader.sections() == [
        *("learning", "confusion", "classes", "mistakes", "calibration", "light", "map", "recipe")
    ]
    labels = [attributes["aria-label"] for tag, attributes in reader.found if tag == "svg"]
    assert len(labels) == len(set(labels)) == 7


def test_page_loads_nothing(whole):
    """Every address is data or a place within a figure; there is no script and no link."""
    text = whole[1]
    reader = Reader(text)
    assert not {tag for tag, _ in reader.found} & {"script", "link", "iframe", "object", "a"}
    addresses = [
        value
        for _, attributes in reader.found
        for name, value in attributes.items()
        if name in ("src", "href", "xlink:href", "srcset", "data")
    ]
    addresses += re.findall(r"url\(([^)]*)\)", text)
    assert addresses
    assert all(a.startswith(("data:image/png;base64,", "#")) for a in addresses)
    assert "@import" not in text
    assert not [name for _, attributes in reader.found for name in attributes if name[:2] == "on"]


def test_figures_share_no_id(whole):
    """All figures are in one document: an id that two had would mix them up."""
    ids = re.findall(r'\bid="([^"]*)"', whole[1])
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="|url\()#([^")]*)', whole[1])) <= set(ids)


def test_figures_take_their_colours_from_the_page(whole):
    """No figure has a colour of its own, which one of light and dark would swallow."""
    figures = "".join(re.findall(r"<svg.*?</svg>", whole[1], re.S))
    assert set(re.findall(r"(?:fill|stroke): *([^;\"]+)", figures)) <= {
        "none",
        *(f"var(--{name})" for name in ("ink", "muted", "line", "first", "second", "wrong")),
    }
    style = whole[1][: whole[1].index("</style>")]
    for name in set(re.findall(r"var\(--(\w+)\)", whole[1])):
        assert style.count(f"--{name}:") == 2, f"{name} is not there in light and in dark"


def test_headline(whole):
    """Accuracy, its interval over tracks, and what the split means."""
    evaluation, text = whole
    words = Reader(text).text
    correct = evaluation.probabilities.argmax(1) == evaluation.labels
    low, high = metrics.track_interval(correct, evaluation.tracks)
    assert f"{100 * correct.mean():.1f}%" in words
    assert (
        f"95% interval {100 * low:.1f}% to {100 * high:.1f}%, by bootstrap over 60 tracks" in words
    )
    assert "no sign in these pictures was seen in training" in words
    assert f"mistakes {300 - correct.sum()} of 300" in words
    assert "1.5 seconds" in words


@pytest.mark.parametrize(
    ("split", "words"),
    [
        ("random", "frames of the same signs are on both sides"),
        ("the official test set", "the official test set"),
    ],
)
def test_split_in_plain_words(split, words):
    """A random split's flaw is said; an unknown split's own words are shown."""
    head = (
        report.html(alone(recipe={"split": split})).split('<p class="split">')[1].split("</p>")[0]
    )
    assert words in head


def test_calibration_before_and_after(whole):
    """Both errors, in that order, as the statistics have them."""
    evaluation, text = whole
    before, after = (
        100 * metrics.expected_calibration_error(p, evaluation.labels)
        for p in (evaluation.uncalibrated, evaluation.probabilities)
    )
    assert f"{before:.1f}% before the temperature, {after:.1f}% after it" in Reader(text).text


def test_surest_mistakes_are_shown_as_pictures():
    """24 of them, the surest first, each picture the right one with both names and its row."""
    evaluation = made_up(400)
    p, labels = evaluation.probabilities, evaluation.labels
    wrong = sorted(
        (i for i in range(400) if p[i].argmax() != labels[i]), key=lambda i: -p[i].max()
    )[:24]
    section = sections.mistakes(evaluation)
    items = section.split("<li>")[1:]
    assert len(items) == 24
    for i, item in zip(wrong, items, strict=True):
        data = base64.b64decode(re.search(r'src="data:image/png;base64,([^"]*)"', item)[1])
        np.testing.assert_array_equal(np.array(Image.open(io.BytesIO(data))), evaluation.images[i])
        words = Reader(item.split("</li>")[0]).text
        assert NAMES[labels[i]] in words
        assert f"named {NAMES[p[i].argmax()]}, {100 * p[i].max():.1f}%" in words
        assert f"row {1000 + i}" in words
    assert f"They show {len({i // 5 for i in wrong})} signs." in section


def test_classes_worst_first(whole):
    """Each class that occurs has its accuracy and its training pictures in one row."""
    evaluation, text = whole
    section = text.split('<section id="classes">')[1].split("</section>")[0]
    rows = re.findall(
        r'<th scope="row">(.*?)</th>.*?title="(\d+) of (\d+)">([\d.]+)%.*?bar">([\d,]+)<', section
    )
    assert len(rows) == len(set(evaluation.labels.tolist()))
    shares = [int(right) / int(count) for _, right, count, _, _ in rows]
    assert shares == sorted(shares)
    for name, right, count, share, size in rows:
        label = NAMES.index(html_module.unescape(name))
        here = evaluation.labels == label
        assert int(count) == here.sum()
        assert int(right) == (evaluation.probabilities[here].argmax(1) == label).sum()
        assert float(share) == pytest.approx(100 * int(right) / int(count), abs=0.051)
        assert int(size.replace(",", "")) == 10 * label


def test_confusion_cells_carry_their_numbers():
    """Every pair that occurs has one cell with its tooltip."""
    labels, given = np.array([1, 1, 1, 2, 2]), [1, 2, 2, 2, 40]
    right = np.eye(43, dtype=np.float32)[given]
    text = sections.confusion(made_up(5, labels=labels, probabilities=right), {})
    names = {i: NAMES[i] for i in (1, 2, 40)}
    figure = text[: text.index("</svg>")]
    assert sorted(re.findall("<title>(.*?)</title>", figure)) == sorted(
        [
            f"{names[1]}, named {names[1]}: 1 of 3",
            f"{names[1]}, named {names[2]}: 2 of 3",
            f"{names[2]}, named {names[2]}: 1 of 2",
            f"{names[2]}, named {names[40]}: 1 of 2",
        ]
    )
    assert "Stop" not in figure


def test_predictions_by_row(tmp_path, monkeypatch):
    """predictions.csv: the row, both classes with their names, the probability."""
    monkeypatch.setattr(report, "html", lambda _: "")
    evaluation = made_up(50)
    report.write(tmp_path, evaluation)
    table = pd.read_csv(tmp_path / "predictions.csv")
    assert list(table) == [
        *("index", "true", "true_name", "predicted", "predicted_name", "probability")
    ]
    p = evaluation.probabilities
    np.testing.assert_array_equal(table["index"], np.arange(50) + 1000)
    np.testing.assert_array_equal(table["true"], evaluation.labels)
    np.testing.assert_array_equal(table["predicted"], p.argmax(1))
    np.testing.assert_allclose(table["probability"], p.max(1), atol=1e-6)
    assert table["true_name"].tolist() == [NAMES[i] for i in evaluation.labels]
    assert table["predicted_name"].tolist() == [NAMES[i] for i in p.argmax(1)]


def test_predictions_by_file(tmp_path, monkeypatch):
    """Where pictures have files, the first column is theirs, commas and all."""
    monkeypatch.setattr(report, "html", lambda _: "")
    files = ["Images/00000/00000_00001.ppm", 'a, "b".png']
    report.write(tmp_path, made_up(2, index=files))
    table = pd.read_csv(tmp_path / "predictions.csv")
    assert table["file"].tolist() == files
    assert "index" not in table


def test_nothing_half_written(tmp_path, monkeypatch):
    """A report that fails leaves the one before it whole, and no other file."""
    report.write(tmp_path, alone())
    assert Reader((tmp_path / "report.html").read_text(encoding="utf-8")).sections()
    before = (tmp_path / "report.html").read_bytes()

    def fails(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(page, "document", fails)
    with pytest.raises(KeyboardInterrupt):
        report.write(tmp_path, alone(title="another"))
    assert (tmp_path / "report.html").read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["predictions.csv", "report.html"]


def test_same_evaluation_same_page(whole):
    """Nothing in the page depends on the clock or on chance."""
    assert report.html(made_up()) == whole[1]


def test_two_pictures():
    """Two pictures have a whole report, map included."""
    assert len(Reader(report.html(made_up(2))).sections()) == 8


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (3, "3 pictures, placed by their two principal components"),
        (60, "60 pictures, placed by t-SNE"),
        (90, "70 pictures of 90, drawn at random, placed by t-SNE"),
    ],
)
def test_map_of_any_number(monkeypatch, n, words):
    """Few pictures are placed by their principal components, of many a sample is drawn."""
    monkeypatch.setattr(feature_map, "MOST", 70)
    assert words in sections.feature_map(made_up(n, features=np.arange(2 * n).reshape(n, 2)))


def test_one_picture_of_which_nothing_is_known():
    """No interval, no learning curve, no map; the rest is there."""
    reader = Reader(report.html(alone()))
    assert reader.sections() == ["confusion", "classes", "mistakes", "calibration", "light"]
    assert "no interval: one sign says nothing about others" in reader.text
    assert "of 1 picture named right" in reader.text


def test_no_mistakes():
    """All right: it is said, and the interval is not called certainty."""
    labels = np.arange(40) % 3
    right = np.eye(43, dtype=np.float32)[labels]
    reader = Reader(report.html(made_up(40, labels=labels, probabilities=right)))
    assert reader.text.count("No mistakes.") == 2
    assert "100%" in reader.text
    assert not {"102%", "104%", "105%"} & set(reader.text.split())
    assert "no interval: the bootstrap over 8 tracks sees no spread" in reader.text


def test_unknown_tracks_are_said():
    """Without tracks the bootstrap is over pictures, and the page says so."""
    words = Reader(report.html(made_up(30, tracks=None, features=None))).text
    assert "by bootstrap over 30 pictures, as their tracks are not known" in words


def test_history_with_gaps():
    """An epoch without validation leaves its point out; none at all leaves the section out."""
    row = {"epoch": 1, "seconds": 2.0, "loss": 1.5, "validation_accuracy": None}
    assert "learning" in Reader(report.html(alone(history=[row]))).sections()
    lost = [{**row, "loss": float("nan")}]
    assert "learning" not in Reader(report.html(alone(history=lost))).sections()


def test_features_without_variance():
    """Features that are all the same have no directions; the map stays."""
    assert np.array_equal(feature_map.positions(np.ones((60, 5))), np.full((60, 2), 0.5))
    line = feature_map.positions(np.arange(60)[:, None])
    assert np.allclose(np.sort(line[:, 0]), np.linspace(0, 1, 60))


def test_map_puts_like_to_like():
    """Three far groups stay groups: each picture's neighbour on the map is of its own."""
    group = np.arange(150) % 3
    features = np.random.default_rng(0).normal(0, 1, (150, 30)) + 20 * np.eye(3, 30)[group]
    place = feature_map.positions(features)
    distance = np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1))
    np.fill_diagonal(distance, np.inf)
    assert np.array_equal(group[distance.argmin(axis=1)], group)
    assert place.min() == 0
    assert place.max() == 1


def test_map_draws_pictures_where_they_belong():
    """Opposite corners, unchanged pixels, the wrong one framed in red, clear ground between."""
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    drawn = feature_map.draw(np.array([[0, 0], [1, 1]]), images, np.array([False, True]))
    np.testing.assert_array_equal(drawn[2:34, 2:34, :3], images[0])
    np.testing.assert_array_equal(drawn[-34:-2, -34:-2, :3], images[1])
    assert tuple(drawn[-1, -1]) == feature_map.DOT_WRONG
    assert drawn[feature_map.HEIGHT // 2, feature_map.WIDTH // 2, 3] == 0


def test_names_are_text():
    """Names, files, title and recipe may hold anything: none of it becomes an element."""
    evil = '<script>alert("$x_1$")</script>&amp;'
    evaluation = made_up(
        20,
        features=None,
        names=[f"{evil}{i}" for i in range(43)],
        index=[f"{evil}/{i}" for i in range(20)],
        title=evil,
        recipe={evil: {evil: [evil, None]}, "split": evil},
    )
    text = report.html(evaluation)
    reader = Reader(text)
    assert "script" not in {tag for tag, _ in reader.found}
    assert reader.text.count(evil) > 40
    alts = [attributes["alt"] for tag, attributes in reader.found if tag == "img"]
    assert any(alt.startswith(evil) for alt in alts)


def test_percent():
    """One decimal, more where it would hide a picture."""
    shares = (0, 1, 0.5, 0.98765, 0.99999, 0.0001, 0.9995, 1e-9, float("nan"))
    assert [page.percent(share) for share in shares] == [
        *("0%", "100%", "50.0%", "98.8%", "99.999%", "0.01%", "99.95%", "0.00000%", "–")
    ]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"labels": np.zeros(0, int)}, "expected labelled pictures; received none"),
        ({"tracks": np.zeros(2)}, "expected tracks of 3 pictures, as many as labels; received 2"),
        ({"labels": np.array([0, 1, 43])}, "labels 0 to 42; received .* and 0 to 43"),
        ({"labels": np.array([-1, 1, 4])}, "labels 0 to 42; received .* and -1 to 4"),
        ({"names": ["one", "two"]}, r"expected probabilities \(3, 2\) .*received \(3, 43\)"),
        ({"probabilities": np.full((3, 43), np.nan)}, "expected finite probabilities"),
    ],
)
def test_evaluation_that_does_not_fit(other, message):
    """One line: what was expected and what was received."""
    with pytest.raises(LabError, match=message) as caught:
        made_up(3, **other)
    assert "\n" not in str(caught.value)


def test_importing_it_is_cheap():
    """Scripts that report nothing wait for no matplotlib, pandas, sklearn or scipy."""
    script = (
        "import sys, lab.report.report; "
        "print([m for m in ('matplotlib', 'pandas', 'sklearn', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=files.ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_only_figures_import_matplotlib():
    """One module draws."""
    own = [*(files.ROOT / "lab").rglob("*.py"), *files.ROOT.glob("*.py")]
    users = [p.name for p in own if re.search(r"^\s*(import|from) matplotlib", p.read_text(), re.M)]
    assert users == ["figures.py"]


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


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """A headless Chromium; the test is skipped, visibly, where there is none."""
    program = browser.find()
    if program is None:
        pytest.skip("no Chromium here: the report cannot be opened")
    with browser.Browser(program, tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_opens_in_chromium(chromium, whole, tmp_path, scheme, width):
    """No error in the console, nothing fetched, every picture loaded, all text legible."""
    (tmp_path / "report.html").write_text(whole[1], encoding="utf-8")
    chromium.call(
        "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
    )
    chromium.call(
        "Emulation.setDeviceMetricsOverride",
        **{"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    chromium.open(tmp_path / "report.html")
    seen = chromium.value(SEEN)
    assert len(seen["images"]) == 25
    assert all(seen["images"])
    assert seen["icons"] == 32 * len(set(whole[0].labels.tolist()))
    assert seen["texts"] > 300
    assert seen["contrast"] >= 4.5
    assert (seen["ground"] < 0.05) == (scheme == "dark")
    assert seen["overflow"] <= 0
    assert seen["font"]
    errors = [
        event
        for event in chromium.events
        if event["method"]
        in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
    ]
    assert errors == []
    asked = [
        event["params"]["request"]["url"]
        for event in chromium.events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in asked if not url.startswith("data:")] == [
        (tmp_path / "report.html").as_uri()
    ]


@pytest.mark.browser
def test_browser_notices(chromium, tmp_path):
    """The test above would see a script that fails, and a picture that is missing."""
    bad = tmp_path / "bad.html"
    bad.write_text('<title>x</title><img src="missing.png"><script>nothing()</script>')
    chromium.open(bad)
    assert chromium.value("document.images[0].naturalWidth") == 0
    methods = {event["method"] for event in chromium.events}
    assert {"Runtime.exceptionThrown", "Log.entryAdded"} <= methods
