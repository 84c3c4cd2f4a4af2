"""The report: its numbers and words, and that it loads and runs nothing."""

import base64
import html as html_module
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import jinja2
import numpy as np
import pandas as pd
import pytest
from judgements import alone, made_up, sure
from PIL import Image

from lab import explanation, files
from lab.data import class_names, fingerprints, splits
from lab.drawn_signs import RENDERED
from lab.judging import metrics
from lab.report import evaluation, feature_map, figures, report, wording

NAMES = class_names()
VOID = {"meta", "img", "br", "link", "input", "hr"}
HISTORY = [
    {"epoch": i, "seconds": 0.5, "loss": 2 / i, "validation_accuracy": 1 - 0.5 / i}
    for i in (1, 2, 3)
]
KNOWN = {
    "title": "A made-up judgement",
    "facts": {"layer": "conv4", "split": "track", "versions": {"numpy": "2.4"}},
    "history": HISTORY,
    "class_counts": 10 * np.arange(43),
    "notices": ("nobody has measured this",),
}
NOTHING = {"title": "Traffic signs", "facts": {}}


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

    def links(self):
        return [attributes["href"] for tag, attributes in self.found if tag == "a"]


def section(text, anchor):
    """One section's HTML."""
    return text.split(f'<section id="{anchor}">')[1].split("</section>")[0]


@pytest.fixture(scope="module")
def whole():
    """A judgement with everything, and its page."""
    judgement = made_up()
    return judgement, report.page(judgement, **KNOWN)


def test_page_has_every_section_and_closes_every_element(whole):
    """All that is known is shown, in order, and the contents link to it."""
    reader = Reader(whole[1])
    assert reader.sections() == [
        *("learning", "confusion", "classes", "mistakes", "calibration", "light", "map", "facts")
    ]
    assert reader.links() == [f"#{anchor}" for anchor in reader.sections()]
    labels = [attributes["aria-label"] for tag, attributes in reader.found if tag == "svg"]
    assert len(labels) == len(set(labels)) == 7


def test_page_loads_nothing(whole):
    """Every address is data or a place within the page; there is no script, and a policy."""
    text = whole[1]
    reader = Reader(text)
    assert not {tag for tag, _ in reader.found} & {"script", "link", "iframe", "object"}
    policies = [a["content"] for _, a in reader.found if "http-equiv" in a]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
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


def test_page_shares_no_id(whole):
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
    """Accuracy, its interval over tracks, what the split means, and what must be said."""
    judgement, text = whole
    words = Reader(text).text
    correct = judgement.logits.argmax(1) == judgement.labels
    low, high = judgement.interval
    assert f"{100 * correct.mean():.1f}%" in words
    assert (
        f"95% interval {100 * low:.1f}% to {100 * high:.1f}%, by bootstrap over 60 tracks" in words
    )
    assert "the classifier has not seen any of these signs in training" in words
    assert "Nobody has measured this." in words
    assert f"mistakes {300 - correct.sum()} of 300" in words
    assert "signs filmed (tracks) 60" in words
    assert "1.5 seconds" in words


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({}, "frames of the same signs are on both sides"),
        ({"tracks": None}, "frames of the same signs may be on both sides"),
        ({"source": RENDERED}, "no two pictures show the same sign"),
    ],
)
def test_random_split_in_plain_words(other, words):
    """What a random split's accuracy says depends on what the pictures are of."""
    text = report.page(made_up(20, sketch=None, **other), "x", {"split": "random"})
    assert words in Reader(text).text


@pytest.mark.parametrize(
    ("tracks", "words"),
    [
        (None, "frames of the same signs may be on both sides"),
        (np.arange(20) // 5, "frames of the same signs are on both sides"),
    ],
)
def test_the_weights_own_split_in_plain_words(tracks, words):
    """Where it is not known to be by track, it is not called so."""
    judgement = made_up(20, sketch=None, tracks=tracks)
    text = Reader(report.page(judgement, "x", {"split": splits.OWN})).text
    assert f"what they were not: {words}" in text and "A random split" not in text


def test_rendered_signs_are_not_filmed():
    """Every drawing is a sign of its own: neither tracks nor filming are spoken of."""
    drawn = made_up(30, source=RENDERED, tracks=np.arange(30))
    words = Reader(report.page(drawn, "x", {"split": "random"})).text
    assert "by bootstrap over 30 pictures, each of another sign" in words
    assert not re.search("filmed|track|They show", words)


def test_calibration_before_and_after(whole):
    """Both errors, in that order, as the judgement has them, and what the words mean."""
    judgement, text = whole
    before, after = (100 * judgement.calibration_error[name] for name in ("before", "after"))
    words = Reader(section(text, "calibration")).text
    assert f"{before:.1f}% before the temperature, {after:.1f}% with it" in words
    assert "The temperature is a number that" in words and "Here it is 0.5." in words
    assert "The calibration error is the mean distance" in words


@pytest.mark.parametrize("fitted", [True, False])
def test_what_was_fitted_on_these_pictures_is_said(fitted):
    """Wherever there is a figure of the temperature or of the threshold, whatever the split."""
    judgement = made_up(60, sketch=None)
    judgement.turned_away = np.arange(60) == 7
    judgement.novelty = np.ones(60)
    facts = {"fitted_on_judged": fitted, "temperature_fitted_on": "whatever this says"}
    text = report.page(judgement, "x", facts)
    strangers, calibration = (
        Reader(section(text, anchor)).text for anchor in ("strangers", "calibration")
    )
    assert "1 picture (1.7%) would be turned away" in strangers
    assert ("The threshold was fitted on these very pictures" in strangers) == fitted
    assert ("It was fitted on these very pictures" in calibration) == fitted
    assert ("with a temperature fitted on these pictures" in Reader(text).text) == fitted


def test_calibration_without_a_temperature():
    """One error, one line in the diagram."""
    judgement = made_up(60, temperature=1.0, sketch=None)
    text = section(report.page(judgement, **NOTHING), "calibration")
    error = 100 * judgement.calibration_error["after"]
    assert f"weighted by its number of pictures: {error:.1f}% ." in Reader(text).text
    assert "these pictures" in text and "with the temperature" not in text


def test_surest_mistakes_are_shown_as_pictures():
    """24, the surest first, three of a sign at most, each with both names and its place."""
    judgement = made_up(400, tracks=np.arange(400) // 20, sketch=None)
    p, labels = judgement.probabilities, judgement.labels
    wrong, of_track = [], dict.fromkeys(range(20), 0)
    for i in sorted(np.flatnonzero(p.argmax(1) != labels), key=lambda i: -p[i].max()):
        of_track[i // 20] += 1
        wrong += [i] if of_track[i // 20] <= 3 else []
    assert len(wrong) > 24 and max(of_track.values()) > 3
    text = section(report.page(judgement, **NOTHING), "mistakes")
    items = text.split("<li")[1:]
    assert len(items) == 24
    for i, item in zip(wrong, items, strict=False):
        data = base64.b64decode(re.search(r'src="data:image/png;base64,([^"]*)"', item)[1])
        np.testing.assert_array_equal(
            np.array(Image.open(io.BytesIO(data))), judgement.data.images[i]
        )
        words = Reader("<li" + item.split("</li>")[0] + "</li>").text
        assert NAMES[labels[i]] in words
        assert f"predicted: {NAMES[p[i].argmax()]}, {100 * p[i].max():.1f}%" in words
        assert f"row {1000 + i} of train.p" in words
        assert f'id="row-{1000 + i}"' in item and f"row {1000 + i} of somewhere/train.p" in item
    signs = len({i // 20 for i in wrong[:24]})
    assert f"They show {signs} signs, each at most three times." in Reader(text).text


def test_the_surest_mistakes_are_explained(monkeypatch):
    """Where the predicted class comes from, beside the first twelve; without weights, nowhere."""
    judgement, given = made_up(400, sketch=None), []

    def heat_maps(*arguments):
        given.append(arguments)
        heat = np.zeros((len(arguments[2]), 6, 6))
        heat[:, 1, 4] = np.arange(len(heat)) + 1
        return heat

    monkeypatch.setattr(explanation, "heat_maps", heat_maps)
    without = section(report.page(judgement, **NOTHING), "mistakes")
    assert given == [] and 'class="explained"' not in without and "orange" not in without
    judgement.trunk = "the weights"
    text = section(report.page(judgement, **NOTHING), "mistakes")
    ((classifier, trunk, images, predicted),) = given
    assert (classifier, trunk) == (judgement.classifier, "the weights")
    surest = metrics.surest_mistakes(judgement.probabilities, judgement.labels, np.arange(400) // 5)
    np.testing.assert_array_equal(images, judgement.data.images[surest[:12]])
    np.testing.assert_array_equal(predicted, judgement.predicted[surest[:12]])
    items = text.split("<li")[1:]
    assert ["explained" in item for item in items] == [True] * 12 + [False] * 12
    assert "orange speaks for it, blue against it" in Reader(text).text
    sources = re.findall(r'src="data:image/png;base64,([^"]*)"', items[11])
    picture, why = (np.array(Image.open(io.BytesIO(base64.b64decode(data)))) for data in sources)
    np.testing.assert_array_equal(picture, judgement.data.images[surest[11]])
    assert why.shape == (114, 114, 3)
    orange = why[..., 0].astype(int) - why[..., 2]
    row, column = np.unravel_index(orange.argmax(), orange.shape)
    assert abs(row - 65 / 2) < 3 and abs(column - 161 / 2) < 3  # 33 + 32 k, every second pixel
    assert f'alt="where {NAMES[predicted[0]]} comes from"' in items[0]


def test_each_fold_s_head_explains_its_own_mistakes(monkeypatch):
    """After cross-validation, every picture goes to the classifier that answered it."""
    judgement, given = made_up(400, sketch=None, trunk="the weights"), []

    def heat_maps(classifier, _, images, labels):
        given.extend((classifier.notes, *pair) for pair in zip(images, labels, strict=True))
        return np.ones((len(images), 6, 6)) * [[1, -1][classifier.notes["fold"] % 2]]

    monkeypatch.setattr(explanation, "heat_maps", heat_maps)
    judgement.fold = np.arange(400) * 7 % 5
    judgement.of_folds = [replace(judgement.classifier, notes={"fold": k}) for k in range(5)]
    text = section(report.page(judgement, **NOTHING), "mistakes")
    surest = metrics.surest_mistakes(judgement.probabilities, judgement.labels, np.arange(400) // 5)
    surest = sorted(surest[:12], key=lambda i: judgement.fold[i])
    assert len({judgement.fold[i] for i in surest}) > 1
    for i, (notes, image, label) in zip(surest, given, strict=True):
        assert (notes["fold"], label) == (judgement.fold[i], judgement.predicted[i])
        np.testing.assert_array_equal(image, judgement.data.images[i])
        item = text.split(f'id="row-{1000 + i}"')[1].split("</li>")[0]
        data = re.findall(r'src="data:image/png;base64,([^"]*)"', item)[1]
        why = np.array(Image.open(io.BytesIO(base64.b64decode(data))), int)
        orange = why[..., 0].mean() > why[..., 2].mean()
        assert orange == (judgement.fold[i] % 2 == 0)


def test_mistakes_link_to_their_files(tmp_path):
    """A picture that has a file is one click away; one in an archive is named."""
    file = tmp_path / "a & b.png"
    file.touch()
    index = [str(file), "signs.zip/Images/00001.ppm", "x" * 5000]
    judgement = made_up(3, index=index, labels=np.array([1, 2, 2]), logits=sure([3, 3, 3]))
    text = section(report.page(judgement, **NOTHING), "mistakes")
    assert Reader(text).links() == 2 * [file.as_uri()]
    assert "a & b.png" in Reader(text).text and "00001.ppm" in Reader(text).text
    assert 'title="signs.zip/Images/00001.ppm"' in text


def test_classes_worst_first(whole):
    """Each class that occurs has its accuracy and its training pictures in one row."""
    judgement, text = whole
    rows = re.findall(
        r'<th scope="row">(.*?)</th>.*?title="(\d+) of (\d+)">([\d.]+)%.*?bar">([\d,]+)<',
        section(text, "classes"),
        re.S,
    )
    assert len(rows) == len(set(judgement.labels.tolist()))
    shares = [int(right) / int(count) for _, right, count, _, _ in rows]
    assert shares == sorted(shares)
    for name, right, count, share, size in rows:
        label = NAMES.index(html_module.unescape(name))
        here = judgement.labels == label
        assert int(count) == here.sum()
        assert int(right) == (judgement.logits[here].argmax(1) == label).sum()
        assert float(share) == pytest.approx(100 * int(right) / int(count), abs=0.051)
        assert int(size.replace(",", "")) == 10 * label


def test_confusion_cells_carry_their_numbers():
    """Every pair that occurs has one cell with its tooltip; the pairs are in the table, too."""
    judgement = made_up(5, labels=np.array([1, 1, 1, 2, 2]), logits=sure([1, 2, 2, 2, 40]))
    text = section(report.page(judgement, **NOTHING), "confusion")
    names = {i: NAMES[i] for i in (1, 2, 40)}
    figure = text[: text.index("</svg>")]
    assert sorted(re.findall("<title>(.*?)</title>", figure)) == sorted(
        [
            f"{names[1]}, predicted as {names[1]}: 1 of 3",
            f"{names[1]}, predicted as {names[2]}: 2 of 3",
            f"{names[2]}, predicted as {names[2]}: 1 of 2",
            f"{names[2]}, predicted as {names[40]}: 1 of 2",
        ]
    )
    assert "Stop" not in figure
    assert f"{names[1]} {names[2]} 2 of 3 {names[2]} {names[40]} 1 of 2" in Reader(text).text


def test_facts_are_readable(whole):
    """Three digits, percent where a share is meant, dicts and lists in words, no empty rows."""
    facts = {
        "validation_accuracy": 0.97770428,
        "accuracy_interval": (0.91234567, 0.98765432),
        "calibration_error": {"before": 0.0512345, "after": 0.0123456},
        "temperature": np.float32(1.2345678),
        "total_seconds": 12345.678,
        "batch_size": 128,
        "refitted": True,
        "test_accuracy": None,
        "command": ["python", "train.py"],
    }
    words = Reader(section(report.page(alone(), "x", facts), "facts")).text
    assert words.strip() == (
        "Settings and measurements validation accuracy 97.8% accuracy interval 91.2% to 98.8% "
        "calibration error before 5.1%, after 1.2% temperature 1.23 total seconds 12,346 "
        "batch size 128 refitted yes command python, train.py"
    )


def test_predictions_by_row(tmp_path, monkeypatch):
    """predictions.csv: the row, both classes with their names, the probability."""
    monkeypatch.setattr(report, "page", lambda *_: "")
    judgement = made_up(50)
    report.write(tmp_path, judgement, **KNOWN)
    table = pd.read_csv(tmp_path / "predictions.csv")
    assert list(table) == [
        *("index", "true", "true_name", "predicted", "predicted_name", "probability")
    ]
    p = judgement.probabilities
    np.testing.assert_array_equal(table["index"], np.arange(50) + 1000)
    np.testing.assert_array_equal(table["true"], judgement.labels)
    np.testing.assert_array_equal(table["predicted"], p.argmax(1))
    np.testing.assert_allclose(table["probability"], p.max(1), atol=1e-6)
    assert table["true_name"].tolist() == [NAMES[i] for i in judgement.labels]
    assert table["predicted_name"].tolist() == [NAMES[i] for i in p.argmax(1)]


def test_predictions_by_file(tmp_path, monkeypatch):
    """Where pictures have files, the first column is theirs, commas and all."""
    monkeypatch.setattr(report, "page", lambda *_: "")
    names = ["Images/00000/00000_00001.ppm", 'a, "b".png']
    report.write(tmp_path, made_up(2, index=names), **KNOWN)
    table = pd.read_csv(tmp_path / "predictions.csv")
    assert table["file"].tolist() == names
    assert "index" not in table


def test_file_names_that_are_not_utf_8(tmp_path):
    """They stand in both files as they do on disk."""
    judgement = alone(index=["stra\udcdfe.png"], labels=np.array([1]), logits=sure([3]))
    report.write(tmp_path, judgement, **NOTHING)
    for name in ("report.html", "predictions.csv"):
        assert b"stra\xdfe.png" in (tmp_path / name).read_bytes()


def test_nothing_half_written(tmp_path, monkeypatch):
    """A report that fails leaves the one before it whole, and no other file."""
    report.write(tmp_path, alone(), **NOTHING)
    assert Reader((tmp_path / "report.html").read_text(encoding="utf-8")).sections()
    before = (tmp_path / "report.html").read_bytes()

    def fails(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(jinja2.Template, "render", fails)
    with pytest.raises(KeyboardInterrupt):
        report.write(tmp_path, alone(), title="another", facts={})
    assert (tmp_path / "report.html").read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["predictions.csv", "report.html"]


def test_same_judgement_same_page(whole):
    """Nothing in the page depends on the clock or on chance."""
    assert report.page(made_up(), **KNOWN) == whole[1]


def test_two_pictures():
    """Two pictures have a whole report, map included."""
    assert len(Reader(report.page(made_up(2), **KNOWN)).sections()) == 8


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
    judgement = made_up(n, sketch=np.arange(2 * n).reshape(n, 2))
    assert words in Reader(section(report.page(judgement, **NOTHING), "map")).text


def test_one_picture_of_which_nothing_is_known():
    """No interval, no learning curve, no map, no facts; the rest is there and in the contents."""
    reader = Reader(report.page(alone(), **NOTHING))
    assert reader.sections() == ["confusion", "classes", "mistakes", "calibration", "light"]
    assert reader.links() == [f"#{anchor}" for anchor in reader.sections()]
    assert "no interval: one sign says nothing about others" in reader.text
    assert "of 1 picture classified correctly" in reader.text


def test_a_flat_curve_is_shown_as_flat():
    """A loss of which the seventh digit changes: no axis of rounding errors."""
    values = [0.036673, 0.0366735]
    history = [{"epoch": i + 1, "loss": value} for i, value in enumerate(values)]
    labels = re.findall(r">([^<>]+)</text>", figures.curve(history, "loss", "Loss"))
    assert "0.00" in labels and "0.03" in labels and not any("e-" in label for label in labels)


def test_no_mistakes():
    """All right: it is said, and the interval is not called certainty."""
    labels = np.arange(40) % 3
    reader = Reader(report.page(made_up(40, labels=labels, logits=sure(labels)), **NOTHING))
    assert reader.text.count("No mistakes.") == 2
    assert "100%" in reader.text
    assert not {"102%", "104%", "105%"} & set(reader.text.split())
    assert "no interval: the bootstrap sees no spread over 8 tracks" in reader.text


def test_unknown_tracks_are_said():
    """Without tracks the bootstrap is over pictures, and the page says so."""
    words = Reader(report.page(made_up(30, tracks=None, sketch=None), **NOTHING)).text
    assert "30 pictures, as it is not known which of them show the same sign" in words
    assert "filmed" not in words and "They show" not in words


def test_history_with_gaps():
    """An epoch without validation leaves its point out; none at all leaves the section out."""
    row = {"epoch": 1, "seconds": 2.0, "loss": 1.5, "validation_accuracy": None}
    assert "learning" in Reader(report.page(alone(), history=[row], **NOTHING)).sections()
    lost = [{**row, "loss": float("nan")}]
    assert "learning" not in Reader(report.page(alone(), history=lost, **NOTHING)).sections()


def test_names_are_text():
    """Names, files, title, facts and notices may hold anything: none becomes an element."""
    evil = '<script>alert("$x_1$")</script><b>&\'"&amp;'
    judgement = made_up(
        20,
        sketch=None,
        names=[f"{evil}{i}" for i in range(43)],
        index=[f"{evil}/{i}" for i in range(20)],
        source=evil,
    )
    text = report.page(judgement, evil, {evil: {evil: [evil, None]}}, notices=[evil])
    reader = Reader(text)
    assert not {"script", "b"} & {tag for tag, _ in reader.found}
    assert reader.text.count(evil) > 40
    alts = [attributes["alt"] for tag, attributes in reader.found if tag == "img"]
    assert any(alt.startswith(evil) for alt in alts)


def test_percent():
    """One decimal, more where it would hide a picture."""
    shares = (0, 1, 0.5, 0.98765, 0.99999, 0.0001, 0.9995, 1e-9, float("nan"))
    assert [wording.percent(share) for share in shares] == [
        *("0%", "100%", "50.0%", "98.8%", "99.999%", "0.01%", "99.95%", "0.00000%", "–")
    ]


def test_only_figures_import_matplotlib():
    """One module draws."""
    own = [*(files.ROOT / "lab").rglob("*.py"), *files.ROOT.glob("*.py")]
    users = [p.name for p in own if re.search(r"^\s*(import|from) matplotlib", p.read_text(), re.M)]
    assert users == ["figures.py"]


class Trunk:
    """Weights that were trained on some pictures."""

    path, sha256, held_out = "trunk.npz", "0" * 64, np.zeros(0, np.uint64)

    def __init__(self, images):
        self.trained_on = fingerprints.picture_hashes(images)


def test_evaluation_says_what_it_judged(tmp_path, monkeypatch):
    """The classifier's name, layer and accuracy; what it has seen; the figures of each class."""
    made = made_up(40, coords=None)
    classifier, data = made.classifier, made.data
    classifier.notes |= {"accuracy": 0.9263, "judged_on": "signs it has not seen"}
    classifier.trained_on = fingerprints.picture_hashes(data.images[5:7])
    classifier.trained = False
    monkeypatch.setattr(type(classifier), "features", lambda *_: [made.logits[2:]])
    monkeypatch.setattr(type(classifier), "head", lambda _, x: x)
    monkeypatch.setattr(
        explanation, "heat_maps", lambda _, trunk, x, labels: np.ones((len(x), 6, 6))
    )
    result = evaluation.evaluate(classifier, Trunk(data.images[:2]), data, tmp_path, "runs/x")
    correct = made.correct[2:]
    assert result["accuracy"] == pytest.approx(correct.mean()) and result["images"] == 38
    assert sum(row["images"] for row in result["per_class"]) == 38
    assert result.keys() == {"accuracy", "images", "turned_away", "notices", "per_class"}
    words = Reader((tmp_path / "report.html").read_text(encoding="utf-8")).text
    assert "runs/x, evaluated on train.p" in words
    assert (
        "classifier runs/x when it was saved conv4, accuracy 0.9263 on signs it has not seen"
        in words
    )
    assert (
        "The network was trained on 2 of these 40 pictures: it is judged on the other 38" in words
    )
    assert "The head was trained on 2 of these 38 pictures" in words
    assert "The head is untrained: its answers are chance." in words
