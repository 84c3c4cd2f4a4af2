"""What the four scripts share, a folder a subject, in the order of the data's way.

errors         the error that every mistake of a user ends in
files          where things lie; writing all or nothing; hashes, locks, free space
progress       bars and lines that say what a run is doing
command_line   options, exit statuses, notices, printed results
machine        versions, memory, processor
runs           a run's folder: its options, its metrics
pictures       any picture file -> RGB; the rules by which pictures change their size
pickles        the one unpickler
weights/       .npy, .npz, .onnx -> {layer: (kernel, bias)}, all of it checked
data/          labelled pictures: train.p, GTSRB, tracks, splits, fingerprints
drawn_signs/   signs drawn from shapes: data without a download
downloads/     what others publish: addresses, sizes, hashes; fetching it
layers         the network's own Keras layers; alexnet.py, above this folder, is the network
features/      recipes; the frozen network, run once; its fast path on a CPU; features on disk
classifier     a head and its recipe: answers, saving, loading
judging/       metrics, and a classifier's answers on labelled pictures
report/        report.html and its figures
training/      heads on frozen features, the whole network, augmentation
sources        a word of the command line -> pictures, data, weights, classifier
__main__       make lab
"""

import importlib.util
import sys

# Nothing here works without these two: said in a line, since a traceback names neither way.
_missing = [name for name in ("numpy", "tensorflow") if importlib.util.find_spec(name) is None]
if _missing:
    print(
        f"error: expected the package {' and '.join(_missing)}; it is not installed here: "
        ". .venv/bin/activate, or pip install -r requirements.txt",
        file=sys.stderr,
    )
    raise SystemExit(2)
