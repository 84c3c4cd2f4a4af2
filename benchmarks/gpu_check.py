"""A GPU against the CPU: each layer and gradient, the scripts, speed, memory, power.

python benchmarks/gpu_check.py    # writes gpu-check.json; make gpu-check installs first

Where there is no GPU, the CPU is compared with itself, which says nothing about GPUs: the result
says so in `not_run`. Status 1: something is outside its tolerance, or a script has failed.
"""

import argparse
import functools
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np

import alexnet
from benchmarks.power import Power
from lab import command_line, files, machine, weights

SEED, PRECISIONS = 0, tuple(alexnet.PRECISIONS)
# Largest difference over the largest value of a layer, length of the difference over the length of
# a gradient, and why. On a CPU, conv1's gradient is off by 0.09 in float16.
TOLERANCES = {
    "float32": (2e-4, 2e-3, "sums of up to 9,216 products in another order, 24 bits each"),
    "float16": (0.03, 0.2, "11 bits: 0.0005 a rounding, of weights, pictures and eight layers"),
    "bfloat16": (0.1, 0.4, "8 bits: 0.004 a rounding, of weights, pictures and eight layers"),
}
KINKS = "in gradients also which pixel of a pooling is the largest, and which units are above 0"
RAISE = {"float16": 1024.0}  # what the loss is multiplied by: small gradients leave float16's range


def compare(found, wanted, precision, part):
    """The difference, in the measure of this part, and whether it is within the tolerance."""
    found, wanted = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
    size = np.linalg.norm if part == "gradients" else lambda x: np.abs(x).max()
    error = float(size((found - wanted).ravel()) / max(size(wanted.ravel()), 1e-30))
    within = error <= TOLERANCES[precision][part == "gradients"]  # no NaN is
    return {"error": error if np.isfinite(error) else None, "within": bool(within)}


def layers(arrays, precision, device, images):
    """Each layer's output, by name: float32 arrays of pictures float32 (n, 227, 227, 3)."""
    import keras
    import tensorflow as tf

    with tf.device(device):
        until = "prob" if "fc8" in arrays else "pool5"
        network = alexnet.build(arrays, until, dtype=alexnet.PRECISIONS[precision])
        names = alexnet.LAYERS[: alexnet.LAYERS.index(until) + 1]
        outputs = {name: network.get_layer(name).output for name in names}
        found = keras.Model(network.input, outputs)(images, training=False)
        return {name: tf.cast(x, tf.float32).numpy() for name, x in found.items()}


def gradients(arrays, precision, device, images, labels):
    """Each weight's gradient, by name, of the loss of a network with a head."""
    import tensorflow as tf

    from lab.training import plans, trunk_and_head

    plan = plans.Plan(1, len(images), precision=precision)
    classes, factor = 43, RAISE.get(precision, 1.0)
    head = np.random.default_rng(SEED).normal(0, 0.01, (plan.recipe.width, classes))
    with tf.device(device):
        network = trunk_and_head.network(arrays, plan, classes, gain=1 / 50)
        network.get_layer("head").set_weights([head, np.zeros(classes)])
        with tf.GradientTape() as tape:
            logits = network(images, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = factor * tf.reduce_mean(losses)
        found = tape.gradient(loss, network.trainable_variables)
    names = [variable.path for variable in network.trainable_variables]
    return {name: g.numpy() / factor for name, g in zip(names, found, strict=True)}


def agreement(arrays, device, images, labels):
    """Layers and gradients on the device against the CPU's in float32."""
    import tensorflow as tf

    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)  # float32 means its 24 bits
    large = alexnet.enlarge(images)
    wanted, rows = {"layers": layers(arrays, "float32", "CPU:0", large)}, {}
    wanted["gradients"] = gradients(arrays, "float32", "CPU:0", large, labels)
    for precision in PRECISIONS:
        found = {"layers": layers(arrays, precision, device, large)}
        found["gradients"] = gradients(arrays, precision, device, large, labels)
        rows[precision] = {
            part: {
                name: compare(x, wanted[part][name], precision, part) for name, x in values.items()
            }
            for part, values in found.items()
        }
    tf.config.experimental.enable_tensor_float_32_execution(before)
    return rows


def rate(run, count, seconds):
    """Pictures/s of a function that computes so many a call, over at least so many seconds."""
    run()
    start, done = time.perf_counter(), 0
    while (taken := time.perf_counter() - start) < seconds:
        run()
        done += count
    return round(done / taken, 1)


def rates(arrays, batch, seconds):
    """Pictures/s of 32x32 signs: features as far as conv4, and training of all layers."""
    from lab.data import class_names
    from lab.features import RECIPES, extractor
    from lab.training import learner, plans

    images = np.random.default_rng(SEED).integers(0, 256, (batch, 32, 32, 3), np.uint8)
    found = {"features": {}, "training": {}}
    for precision in PRECISIONS:
        run = extractor.Extractor(arrays, RECIPES["conv4"], precision=precision)
        found["features"][precision] = rate(lambda r=run: np.asarray(r(images)), batch, seconds)
    for precision in (name for name in PRECISIONS if name in plans.PRECISIONS):
        plan = plans.of_kind("all", 10**6, batch, SEED, precision, names=class_names())
        run = learner.Learner(arrays, images, np.arange(batch) % 43, plan, 43)
        found["training"][precision] = rate(functools.partial(epoch, run), batch, seconds)
    return found


def epoch(run):
    """One epoch of a training; without its end, the next call would find it done."""
    run.train_epoch()
    run.end_epoch()


def commands(folder, signs):
    """The four scripts, an epoch of each kind of training: random weights and drawn signs."""
    from lab.drawn_signs import photographs
    from lab.training import whole_network

    images, labels = photographs.signs(signs, seed=SEED)
    data, full = folder / "drawn.p", folder / "random.npz"
    data.write_bytes(pickle.dumps({"features": images, "labels": labels.astype(np.uint8)}, 3))
    weights.save(full, whole_network.random_arrays(SEED, "prob"), np.float16)
    picture = str(files.EXAMPLES / "stop.png")
    yield ["imagenet_inference.py", picture, "--weights", str(full)]
    yield ["traffic_sign_inference.py", picture, "--weights", str(full)]
    yield ["feature_extraction.py", picture, "--model", "bundled"]
    for kind, precision in (("head", "float16"), ("all", "bfloat16"), ("scratch", "bfloat16")):
        words = ["train_feature_extraction.py", "--data", str(data), "--train", kind]
        words += ["--weights", "bundled"] if kind == "head" else []
        words += ["--weights", str(full)] if kind == "all" else []
        yield [*words, "--epochs", "1", "--precision", precision, "--output", str(folder / kind)]


def scripts(signs, run=subprocess.run):
    """Status and seconds of each command."""
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        own = os.environ | {"LAB_CACHE": str(folder / "cache")}
        for words in commands(folder, signs):
            start = time.perf_counter()
            command = [sys.executable, str(ROOT / words[0]), *words[1:], "--offline"]
            done = run(command, env=own, capture_output=True, text=True)
            name = " ".join([words[0], *(Path(word).name for word in words[1:])])
            rows.append({"command": name, "status": done.returncode})
            rows[-1]["seconds"] = round(time.perf_counter() - start, 1)
            if done.returncode:
                rows[-1]["error"] = done.stderr.strip()[-300:]
            print(rows[-1], flush=True)
    return rows


def failures(result):
    """What is outside its tolerance, or has failed, in words."""
    found = [
        f"{precision}: {name}"
        for precision, parts in result["agreement"].items()
        for part in parts.values()
        for name, row in part.items()
        if not row["within"]
    ]
    return found + [row["command"] for row in result["scripts"] if row["status"]]


def check(options, until="prob", run=subprocess.run):
    """All of it, as gpu-check.json has it; `until`: the last layer that is compared."""
    import tensorflow as tf

    from lab.training import whole_network

    device = "GPU:0" if tf.config.list_logical_devices("GPU") else "CPU:0"
    arrays = whole_network.random_arrays(SEED, until)
    images = np.random.default_rng(SEED).integers(0, 256, (8, 32, 32, 3), np.uint8)
    result = machine.describe() | {"device": device, "seed": SEED, "not_run": []}
    if device == "CPU:0":
        result["not_run"] += ["the GPU: there is none here, the CPU was compared with itself"]
    result["tolerances"] = {
        name: {"layers": most, "gradients": of_slopes, "why": f"{why}; {KINKS}"}
        for name, (most, of_slopes, why) in TOLERANCES.items()
    }
    result["agreement"] = agreement(arrays, device, images, np.arange(8))
    with Power() as power:
        result["pictures_per_second"] = rates(arrays, options.batch, options.seconds)
    result |= {"watts": power.mean, "peak_memory_mib": machine.peak_rss_mib()}
    if device == "GPU:0":
        used = tf.config.experimental.get_memory_info(device)["peak"]
        result["peak_memory_mib"] = round(used / 2**20, 1)
    if power.mean is None:
        result["not_run"].append("power: nvidia-smi does not tell it here")
    result["scripts"] = scripts(options.signs, run)
    return result | {"failed": failures(result)}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add, number = parser.add_argument, command_line.positive
    add("--batch", type=number, default=512, metavar="N", help="default: 512")
    add("--seconds", type=number, default=10, metavar="N", help="of each rate; default: 10")
    add("--signs", type=number, default=5_000, metavar="N", help="to train on; default: 5000")
    add("--output", type=Path, default=ROOT / "gpu-check.json", metavar="FILE")
    options = parser.parse_args(argv)
    command_line.start_tensorflow()
    result = check(options)
    files.write_json(options.output, result)
    print(json.dumps({name: result[name] for name in ("pictures_per_second", "failed")}, indent=2))
    return int(bool(result["failed"]))


if __name__ == "__main__":
    sys.exit(main())
