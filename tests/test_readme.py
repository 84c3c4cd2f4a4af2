"""The README and docs/ against the tree: map, links, commands, options; figures against results."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

import feature_extraction
from benchmarks import corruption_plots, readme, scale
from benchmarks.tables import results
from lab.files import ROOT

PAGES = ("README.md", "docs/results.md", "docs/scale.md", "docs/gpu.md", "trained/README.md")
TEXTS = {page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES}
README = TEXTS["README.md"]
NOT_ON_THE_MAP = {"__pycache__", "__init__.py"}
COMPUTED = {"gpus", "training"}  # from numbers in scale.py alone


def commands() -> list[list[str]]:
    """Every `python SCRIPT ...` of README and results, in words, without its comment."""
    text = README + TEXTS["docs/results.md"]
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.S | re.M)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    lines += re.findall(r"`(python [^`\n]+)`", text)
    words = [shlex.split(line, comments=True) for line in lines if line.startswith("python ")]
    return [line[1:] for line in words if line[1] != "-m"]


def options(script: str) -> set[str]:
    """The options that a script's source names, and those that all scripts share."""
    shared = (ROOT / "lab/command_line.py").read_text(encoding="utf-8")
    own = (ROOT / script).read_text(encoding="utf-8")
    return set(re.findall(r'"(--[a-z][a-z-]*)"', own + shared))


def anchors(page: str) -> set[str]:
    """What `#` may name in a page: its headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.+)$", TEXTS[page], re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture
def measured(tmp_path, monkeypatch) -> Path:
    """A copy of the results files, which the tables are written from."""
    folder = tmp_path / "results"
    shutil.copytree(results.FOLDER, folder)
    monkeypatch.setattr(results, "FOLDER", folder)
    return folder


def change(file: Path, **parts) -> None:
    """Replaces parts of a results file; None takes one out."""
    content = json.loads(file.read_text()) | parts
    file.write_text(json.dumps({key: part for key, part in content.items() if part is not None}))


def test_the_map_names_every_room_of_lab_and_nothing_else() -> None:
    block = re.search(r"^## Files\n+```\n(.*?)^```", README, re.S | re.M)
    assert block
    mapped = re.findall(r"^  (\S+)", block[1], re.M)
    tree = [
        path.name + "/" * path.is_dir()
        for path in (ROOT / "lab").iterdir()
        if path.name not in NOT_ON_THE_MAP and (path.is_dir() or path.suffix == ".py")
    ]
    assert sorted(mapped) == sorted(tree)
    for name in re.findall(r"^(\S+)", block[1], re.M):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_and_headings(page: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", TEXTS[page])
    for file, anchor in links:
        target = (ROOT / page).parent / file if file else ROOT / page
        assert target.exists(), file
        if anchor:
            assert anchor in anchors(str(target.resolve().relative_to(ROOT))), (file, anchor)
    assert links or page in ("docs/gpu.md", "docs/scale.md")  # which have none


@pytest.mark.parametrize("script", sorted({command[0] for command in commands()}))
def test_the_scripts_know_the_options_of_the_readme(script: str) -> None:
    used = {word for line in commands() if line[0] == script for word in line if word[:2] == "--"}
    assert used <= options(script)


def test_the_bundled_classifier_prints_what_its_card_shows(capsys, monkeypatch) -> None:
    """But for the seconds at the end."""
    shown = r"^```\n\$ python feature_extraction\.py (.*)\n((?:.+\n)+?)```"
    block = re.search(shown, TEXTS["trained/README.md"], re.M)
    assert block and "bundled" in block[1]
    monkeypatch.chdir(ROOT)
    assert feature_extraction.main(shlex.split(block[1])) == 0
    assert capsys.readouterr().out.partition("\n\nTime: ")[0] == block[2].rstrip()


def test_every_marker_has_an_end_and_a_table_and_every_table_a_marker() -> None:
    named = []
    for file in readme.FILES:
        text = file.read_text(encoding="utf-8")
        marks = re.findall(r"<!-- (?:results: (\w+)|(end)) -->", text)
        names = [name for name, end in marks if not end]
        assert [bool(end) for _, end in marks] == [False, True] * len(names)
        assert len(marks) == text.count("<!--")
        named += names
    assert set(named) == set(readme.BLOCKS)


def test_the_figures_are_those_of_the_results() -> None:
    assert readme.main(["--check"]) == 0


def test_a_figure_that_changed_is_noticed_and_the_pages_are_left(measured, capsys) -> None:
    change(measured / "bundled.json", accuracy=0.1234)
    assert readme.main(["--check"]) == 1
    told = capsys.readouterr().out
    assert "README.md" in told and "trained/README.md" in told and "scale" not in told
    assert {page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES} == TEXTS


def test_a_picture_of_other_figures_is_noticed_and_left(measured, capsys) -> None:
    before = corruption_plots.PICTURE.read_bytes()
    rows = json.loads((measured / "robustness.json").read_text())["rows"]
    change(measured / "robustness.json", rows={"renamed": rows["trained/"]})
    assert readme.main(["--check"]) == 1
    assert "docs/robustness.png: its figures are not those" in capsys.readouterr().out
    assert corruption_plots.PICTURE.read_bytes() == before


@pytest.mark.parametrize("name", sorted(set(readme.BLOCKS) - COMPUTED - {"overview"}))
def test_a_table_that_was_not_measured_names_its_script(name, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    text = readme.block(name)
    script = re.fullmatch(r"Not measured yet: `python (benchmarks/\w+\.py)`\.", text)
    assert script and (ROOT / script[1]).exists()


def test_the_overview_leaves_out_what_was_not_measured(measured) -> None:
    assert "OpenVINO" in readme.block("overview")
    (measured / "engines.json").unlink()
    text = readme.block("overview")
    assert "OpenVINO" not in text and "engines.py" not in text and "from scratch | 0." in text
    for file in measured.iterdir():
        file.unlink()
    assert readme.block("overview") == "Nothing was measured yet."


def test_parts_of_the_photographs_come_and_go(measured) -> None:
    file = measured / "photographs.json"
    shape = {"epochs": 8, "batch_size": 32, "seed": 0, "precision": "bfloat16", "seconds": 99.0}
    network = {"accuracy": 0.87654, "low": 0.81, "high": 0.92} | shape
    run = json.loads(file.read_text()) | {"command": "python benchmarks/photographs.py --parts x"}
    change(file, network=network, by={"network": run})
    for name in ("photographs", "overview"):
        text = readme.block(name)
        assert "0.877 (0.810 to 0.920)" in text and "--parts x" in text
        assert "not measured" not in text.lower()
    change(file, network=None, accuracy=None, small=None, rates=None, memory=None)
    assert "Not measured yet: the whole network" in readme.block("photographs")
    assert "TrashNet" in readme.block("overview")
    assert readme.block("billion") == "Not measured yet: `python benchmarks/photographs.py`."


def test_kills_are_summed_where_they_were_measured(measured) -> None:
    file = measured / "kills.json"
    shutil.copy(measured / "job.json", file)  # command, date, machine, versions, seed
    head = {
        "60 writes, fsyncs, renames, removals": {"kills": 60, "ended_the_same": 59,
                                                 "stray_files": 1},
        "features": {"kills": 20, "ended_the_same": 20, "stray_files": 0},
        "interrupted: Adam": {"signals": 7, "right_status_and_words": 6, "slowest_seconds": 1.25},
    }  # fmt: skip
    change(file, jobs={"head": head})
    assert "| head | Adam | 7 | 6 | 1.25 |" in readme.block("kills")
    assert "| head | features | 20 | 20 | 0 |" in readme.block("kills")
    sums = "80 kills: 79 ended the same, 1 stray files; 6 of 7 interrupted runs ended right"
    assert sums in readme.block("overview")


def test_a_reader_that_crashed_is_said(measured) -> None:
    about = json.loads((measured / "fuzz.json").read_text())["readers"]["zip"]
    row = {key: about[key] for key in ("command", "date", "machine")}
    change(measured / "fuzz.json", readers={"zip": row | {"broken_rule": "status 1: killed"}})
    assert "| zip | 0 | 0 | 0 | 0 | status 1 |" in readme.block("fuzz")
    assert "0 inputs in each of 1 readers: 1 broke a rule" in readme.block("overview")


def test_every_figure_of_the_overview_names_a_command_with_its_date() -> None:
    text = readme.block("overview")
    used = re.findall(r"^\| (?!what|---|\*\*).*\| ([^|]*) \|$", text, re.M)
    used = {number for numbers in used for number in numbers.split(", ")}
    told = re.findall(r"^(\d+)\. `python benchmarks/\w+\.py.*`.*, \d{4}-\d\d-\d\d", text, re.M)
    assert used and used - {"–"} == set(told)  # a dash: not measured yet


def test_the_operations_of_the_network_are_counted_as_by_hand() -> None:
    flops, _ = scale.steps()
    assert flops["conv1"] == 2 * 55 * 55 * 96 * 11 * 11 * 3
    assert flops["conv2"] == 2 * 27 * 27 * 256 * 5 * 5 * 48
    assert flops["conv5"] == 2 * 13 * 13 * 256 * 3 * 3 * 192
    assert scale.parameters() == 2_334_080 + 9_217 * 43
