"""The README against the tree: its map, its links, its commands and their options."""

import re
import shlex

import pytest

import feature_extraction
from benchmarks import scale
from lab.files import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
NOT_ON_THE_MAP = {"__pycache__", "__init__.py"}


def commands() -> list[list[str]]:
    """Every `python SCRIPT ...` of the README, in words, without its comment."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", README, re.S | re.M)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    lines += re.findall(r"`(python [^`\n]+)`", README)
    words = [shlex.split(line, comments=True) for line in lines if line.startswith("python ")]
    return [line[1:] for line in words if line[1] != "-m"]


def options(script: str) -> set[str]:
    """The options that a script's source names, and those that all scripts share."""
    shared = (ROOT / "lab/command_line.py").read_text(encoding="utf-8")
    own = (ROOT / script).read_text(encoding="utf-8")
    return set(re.findall(r'"(--[a-z][a-z-]*)"', own + shared))


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


def test_the_linked_files_exist() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("script", sorted({command[0] for command in commands()}))
def test_the_scripts_know_the_options_of_the_readme(script: str) -> None:
    used = {word for line in commands() if line[0] == script for word in line if word[:2] == "--"}
    assert used <= options(script)


def test_the_bundled_classifier_prints_what_the_readme_shows(capsys, monkeypatch) -> None:
    """The block under "The classifier in trained/", but for the seconds at its end."""
    block = re.search(r"^```\n\$ python feature_extraction\.py (.*)\n((?:.+\n)+?)```", README, re.M)
    assert block and "bundled" in block[1]
    monkeypatch.chdir(ROOT)
    assert feature_extraction.main(shlex.split(block[1])) == 0
    assert capsys.readouterr().out.partition("\n\nTime: ")[0] == block[2].rstrip()


def test_what_gpus_should_reach_is_as_computed() -> None:
    """docs/scale.md's tables; and the network's operations, by hand."""
    assert scale.main(["--check"]) == 0
    flops, _ = scale.steps()
    assert flops["conv1"] == 2 * 55 * 55 * 96 * 11 * 11 * 3
    assert flops["conv2"] == 2 * 27 * 27 * 256 * 5 * 5 * 48
    assert flops["conv5"] == 2 * 13 * 13 * 256 * 3 * 3 * 192
    assert scale.parameters() == 2_334_080 + 9_217 * 43
