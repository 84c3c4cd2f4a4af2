"""What the four scripts share: a module or a folder for each subject, the basic ones first.

beginning      what a script does first, before slow imports
interruption   Ctrl-C and SIGTERM: the end at once, and how to go on
errors         the error that every mistake of a user ends in; text out of files in messages
untrusted      files of strangers: what a parser raises, and what an array claims
locks          locks between processes
files          where files are; writing all or nothing; hashes, free space
progress       progress bars and lines: what a run is doing
command_line   options, exit statuses, notices
printed        what the scripts print on stdout: answers, epochs, figures
machine        versions, memory, processor
runs           a run's folder: its options, its metrics
workers/       several GPUs and machines: shares, sums, who is gone
gpu            `python -m lab.gpu`: whether a GPU can be used, else what is missing
pictures/      any picture file -> RGB -> the size that is classified
pickles/       the one reader of pickles
zips, npz      the one reader of zips, and of NumPy's files
cached         what is kept in the cache, and thrown away where it is broken
weights/       .npy, .npz, .onnx -> {layer: (kernel, bias)}, all of it checked
data/          labelled pictures: train.p, GTSRB, folders, CSVs; splits, fingerprints
drawn_signs/   signs drawn from shapes: data without a download
downloads/     what others publish: addresses, sizes, hashes; fetching it
layers         the network's own Keras layers; alexnet.py, above this folder, is the network
features/      recipes; the frozen network, run once; its fast path on a CPU; features on disk
novelty/       how unlike its training pictures a picture is
classifier     a head and its recipe: answers, saving, loading
judging/       metrics, and a classifier's answers on labelled pictures
explanation    where in a picture an answer comes from: heat maps, drawn
report/        report.html and its figures
training/      heads on frozen features, the whole network, augmentation
sources/       what an option names -> pictures, data, weights, classifier
__main__       `make lab`: the four scripts, one after the other
"""

import importlib.util
import os
import sys

# Nothing here works without these packages; a traceback would not say how to get them.
_needed = ("numpy", "tensorflow", "PIL", "tqdm")
_missing = [name for name in _needed if importlib.util.find_spec(name) is None]
if _missing:
    print(
        f"error: expected the package {', '.join(_missing)}; it is not installed here: "
        ". .venv/bin/activate, or pip install -r requirements.txt",
        file=sys.stderr,
    )
    raise SystemExit(2)

# TensorFlow reads this when it is imported, if that is later. Where nothing is said, it leaves the
# library oneDNN off on processors without instructions made for networks, such as AMD's Zen 3:
# AlexNet takes 1.6 times as long there, the fast path twice.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
