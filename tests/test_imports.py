"""What imports what: alexnet.py's own imports, and what a script loads before it answers."""

import ast
import json
import subprocess
import sys
import tomllib

import pytest

from lab import files

HEAVY = (
    *("tensorflow", "keras", "scipy", "sklearn", "pandas", "matplotlib", "jinja2", "onnx"),
    *("requests", "urllib3", "imageio", "PIL"),
)
# What a script's options and files need, before it knows what it is to do. downloads checks what
# comes, so it imports data and weights.
OPTIONS = {"command_line", "data", "downloads", "errors", "files", "pickles", "pictures", "printed"}
OPTIONS |= {"interruption", "locks", "progress", "runs", "sources", "untrusted", "weights"}
OPTIONS |= {"beginning", "cached", "npz", "zips"}
NETWORK = {"layers", "features"}
CLASSIFIER = {"classifier", "novelty", "workers"}


def contracts():
    """The layers' contract and the one about alexnet.py, as import-linter has them."""
    config = tomllib.loads((files.ROOT / "pyproject.toml").read_text())
    return config["tool"]["importlinter"]["contracts"]


def test_alexnet_imports_only_from_below():
    """import-linter sees packages alone: that alexnet.py closes no circle is seen here."""
    below = set(contracts()[1]["source_modules"])
    tree = ast.parse((files.ROOT / "alexnet.py").read_text())
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {name.name for name in node.names}
        if isinstance(node, ast.ImportFrom):
            whole = node.module == "lab"
            imported |= {f"lab.{n.name}" for n in node.names} if whole else {node.module}
    assert {"lab.weights", "lab.layers", "lab.pictures"} <= imported
    assert {name for name in imported if name.startswith("lab")} <= below


def test_every_module_has_its_layer():
    """A new folder or module is put somewhere by whoever makes it."""
    named = {part.strip() for row in contracts()[0]["layers"] for part in row.split("|")}
    there = {f"lab.{path.stem}" for path in (files.ROOT / "lab").iterdir() if path.stem[0] != "."}
    assert there - {"lab.__init__", "lab.__pycache__"} == named


CODE = """
import contextlib, io, json, sys
sys.path.insert(0, {root!r})
sockets = []
sys.addaudithook(lambda event, _: event.startswith("socket.") and sockets.append(event))
with contextlib.redirect_stdout(io.StringIO()):
    import {script}
    status = {script}.main({argv!r})
print(json.dumps([sockets or status, sorted(sys.modules)]))
"""


def loaded(script, *argv):
    """What a run of a script leaves in sys.modules: names within lab, and heavy libraries.

    No run that needs no download opens a socket, from the interpreter's start to the answer.
    """
    code = CODE.format(root=str(files.ROOT), script=script, argv=list(map(str, argv)))
    modules = python(code)
    ours = {name.split(".")[1] for name in modules if name.startswith("lab.")}
    return ours, {name for name in HEAVY if name in modules}


def python(code):
    """What some code leaves in sys.modules, which it prints after a status of 0."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    status, modules = json.loads(done.stdout)
    assert status == 0, done.stderr
    return modules


@pytest.fixture(scope="module")
def framework():
    """Heavy libraries that TensorFlow and Keras import by themselves."""
    code = "import json, sys, keras, tensorflow; print(json.dumps([0, sorted(sys.modules)]))"
    return set(HEAVY) & set(python(code))


@pytest.mark.parametrize(
    ("script", "more"),
    [
        ("imagenet_inference", set()),
        ("traffic_sign_inference", set()),
        ("feature_extraction", set()),
        ("train_feature_extraction", {"features", "drawn_signs", "training", "workers"}),
    ],
)
def test_help_loads_no_network(script, more):
    """No TensorFlow, and of lab only what the options need."""
    ours, heavy = loaded(script, "--help")
    assert ours == OPTIONS | more
    assert heavy == {"PIL"}


def test_a_photograph_needs_no_classifier(full_npz, framework):
    """A poodle is classified without judging, report or training, and paints no sign."""
    picture = next(iter(sorted(files.EXAMPLES.glob("*.png"))))
    for script in ("imagenet_inference", "traffic_sign_inference"):
        ours, heavy = loaded(script, picture, "--weights", full_npz)
        assert ours == OPTIONS | NETWORK
        drawing = {"imageio"} if script == "traffic_sign_inference" else set()
        assert heavy == framework | {"PIL"} | drawing


def test_naming_a_sign_needs_no_training(framework):
    """No report, no training, no drawn signs."""
    picture = next(iter(sorted(files.EXAMPLES.glob("*.png"))))
    argv = (picture, "--model", "bundled", "--offline")
    ours, heavy = loaded("feature_extraction", *argv)
    assert ours == OPTIONS | NETWORK | CLASSIFIER
    assert heavy == framework | {"PIL"}
