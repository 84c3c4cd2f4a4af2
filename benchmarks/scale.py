"""What GPUs should reach, on paper, and what many of them wait for: the tables of docs/scale.md.

`python benchmarks/readme.py` writes them. Each number is marked: c cited, m measured here,
a assumed; without a mark it is computed from those. Nothing in the tables of GPUs was measured by
this project.
"""

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import alexnet
from benchmarks.tables.results import NotMeasured, load, table
from lab.features import NETWORK, RECIPES

# Makers' data sheets: float16 products with float32 sums, dense, in TFLOP/s; memory in GB/s; PCI
# Express, one way, in GB/s, of which `BUS` is usable; watts. Instances' network: Gbit/s a machine.
GPUS = {
    "T4": {"tflops": 65, "memory": 320, "bus": 16, "watts": 70},
    "A100": {"tflops": 312, "memory": 2_039, "bus": 32, "watts": 400},
    "H200": {"tflops": 989, "memory": 4_800, "bus": 64, "watts": 700},
}
# TensorFlow's own AlexNet (one column, 64 to 4096 units, all layers trained) in float16 on an A100,
# pictures/s, and the operations of a picture's training: three times its forward 1.43 GFLOP.
CITED_RATE, CITED_FLOP = 16_487, 3 * 1.43e9
BUS, MEMORY = 0.75, 0.8  # usable shares: assumed
DISK = 1.0  # GB/s of an instance's disk: assumed
NETWORK_GBIT, GPUS_A_MACHINE = 400, 8  # assumed, as large instances have
LATENCY = 20e-6  # seconds a hop of a ring between machines: assumed
BATCH = 256  # pictures a GPU and step
LARGEST = 8_192  # pictures of a step, beyond which training needs more epochs: assumed
PICTURES, JPEG = 10**9, 110_000  # ImageNet's photographs: 110 kB on average
SIGN, LARGE = 32 * 32 * 3, alexnet.SIZE**2 * 3  # bytes as uint8
HALF = 2  # bytes of a float16


def steps():
    """The network to conv5's pooling: per picture, FLOPs of each convolution, and bytes moved."""
    side, channels, flops, moved = alexnet.SIZE, 3, {}, {}
    for row in alexnet.CONVOLUTIONS:
        height, width, inside, filters = row.kernel
        before = side * side * channels
        side = (side - 11) // 4 + 1 if row.name == "conv1" else side
        outputs = side * side * filters
        flops[row.name] = 2 * outputs * height * width * inside
        # The convolution reads and writes; so do adding the bias with ReLU, and each that follows.
        moved[row.name] = HALF * (before + outputs) + HALF * 2 * outputs
        for then in row.then:
            if then == "norm":  # in float32: two conversions around it
                moved[row.name] += outputs * ((2 + 4) + (4 + 4) + (4 + 2))
            else:
                pooled = (side - 3) // 2 + 1
                moved[row.name] += HALF * filters * (side * side + pooled * pooled)
                side = pooled
        channels = filters
    return flops, moved


def parameters():
    """Numbers that are trained by --train all: conv1 to conv5 and a head of 43 classes."""
    own = sum(np.prod(row.kernel) + row.kernel[-1] for row in alexnet.CONVOLUTIONS)
    return int(own + (NETWORK.width + 1) * 43)


def bounds(gpu):
    """Pictures/s that each part of a GPU allows, for features to conv4 and for training."""
    flops, moved = steps()
    # What the cited rate is of an A100's products: all that is not products is in it, too.
    share = CITED_RATE * CITED_FLOP / (GPUS["A100"]["tflops"] * 1e12)
    to_conv4 = [name for name in flops if name != "conv5"]
    enlarging = 2 * HALF * LARGE  # written in the network's precision, and read
    forward = {"flop": sum(flops[n] for n in to_conv4), "bytes": enlarging}
    forward["bytes"] += sum(moved[n] for n in to_conv4)
    training = {"flop": 3 * sum(flops.values()), "bytes": 3 * (sum(moved.values()) + enlarging)}
    rates = {}
    for name, cost in (("features", forward), ("training", training)):
        rates[name] = {
            "products": share * gpu["tflops"] * 1e12 / cost["flop"],
            "memory": MEMORY * gpu["memory"] * 1e9 / cost["bytes"],
            "bus": BUS * gpu["bus"] * 1e9 / SIGN,
        }
    rates["features"]["bus back"] = BUS * gpu["bus"] * 1e9 / (HALF * RECIPES["conv4"].width)
    return share, rates


def expected(rates):
    """The lowest bound, and its name."""
    name = min(rates, key=rates.get)
    return rates[name], name


def gpus():
    """Table of GPUs: bounds of each, and the lowest."""
    rows, (share, _) = [], bounds(GPUS["A100"])
    for name, gpu in GPUS.items():
        _, kinds = bounds(gpu)
        for kind, rates in kinds.items():
            rate, by = expected(rates)
            large = BUS * gpu["bus"] * 1e9 / LARGE
            rows.append(
                (
                    f"{name}: {gpu['tflops']}c TFLOP/s, {gpu['memory']:,}c GB/s",
                    kind,
                    *(f"{rates[part]:,.0f}" for part in ("products", "memory", "bus")),
                    f"{rates['bus back']:,.0f}" if "bus back" in rates else "–",
                    f"{large:,.0f}",
                    f"**{rate:,.0f}, {by}**",
                )
            )
    head = ("GPU", "what", "products", "memory", "bus, 32x32", "bus, features back",
            "bus, if 227x227 went over it", "should reach")  # fmt: skip
    words = (
        f"Pictures/s. Products at {share:.0%} of the data sheet's, which is what {CITED_RATE:,}c "
        f"pictures/s on an A100 come to; memory at {MEMORY:.0%}a and the bus at {BUS:.0%}a of "
        "theirs."
    )
    return f"{table(head, rows)}\n\n{words}"


def ring(count):
    """Seconds of the sum of all gradients over so many GPUs, between machines."""
    machines = max(1, -(-count // GPUS_A_MACHINE))
    if machines == 1:
        return 0.0  # NVLink: 11 MB at hundreds of GB/s
    volume = 4 * parameters() * 2 * (machines - 1) / machines
    return volume / (NETWORK_GBIT / 8 * 1e9) + 2 * (machines - 1) * LATENCY


def billion():
    """Table of 1 to 512 H200: what 10^9 pictures take, and what the GPUs wait for."""
    _, kinds = bounds(GPUS["H200"])
    rate, _ = expected(kinds["features"])
    rates = load("photographs").get("rates")
    if rates is None:
        raise NotMeasured("photographs")
    decoding = rates["decoding, one core"]
    width = HALF * RECIPES["conv4"].width
    rows = []
    for count in (1, 8, 64, 512):
        machines = max(1, count // GPUS_A_MACHINE)
        all_rate = count * rate
        kept = machines * DISK * 1e9 / width
        rows.append(
            (
                str(count),
                hours(PICTURES / all_rate),
                f"{all_rate * SIGN / 1e9:,.2f}",
                f"{all_rate * JPEG / 1e9:,.1f}",
                f"{all_rate / decoding / machines:,.0f}",
                f"{all_rate * width / 1e9:,.1f}",
                hours(PICTURES / min(all_rate, kept)),
            )
        )
    head = ("H200s", "computing", "reading signs, GB/s", "photographs, GB/s",
            "cores to decode, a machine", "writing conv4, GB/s", "by a disk each")  # fmt: skip
    words = (
        f"{PICTURES:,} pictures are {PICTURES * SIGN / 1e12:.1f} TB as signs and "
        f"{PICTURES * JPEG / 1e12:.0f} TB as photographs of {JPEG // 1000}c kB; their features "
        f"{PICTURES * width / 1e12:.1f} TB (conv4) or {PICTURES * HALF * 4096 / 1e12:.1f} TB "
        f"(fc7). One core decodes {decoding:.0f}m of TrashNet's grey 256x256 pictures a second: "
        f"larger ones in colour take more cores than the column says. A disk: {DISK:.0f}a GB/s, "
        f"{GPUS_A_MACHINE}a GPUs a machine."
    )
    return f"{table(head, rows)}\n\n{words}"


def hours(seconds):
    return f"{seconds / 3600:,.1f} h" if seconds >= 3600 else f"{seconds / 60:,.1f} min"


def training():
    """Table of 1 to 512 H200: a step of --train all, its sum, and what is left of the GPUs."""
    rate, _ = expected(bounds(GPUS["H200"])[1]["training"])
    rows = []
    for count in (1, 8, 64, 512):
        for batch in dict.fromkeys((BATCH, min(BATCH, LARGEST // count))):
            computing, summing = batch / rate, ring(count)
            share = computing / (computing + summing)
            rows.append(
                (
                    str(count),
                    f"{batch} ({batch * count:,})",
                    f"{1e3 * computing:.2f}",
                    f"{1e3 * summing:.2f}",
                    f"{share:.0%}",
                    hours(PICTURES / (count * rate * share)),
                )
            )
    head = ("H200s", "pictures a GPU (a step)", "computing, ms", "summing, ms",
            "of the GPUs used", "one epoch of 10^9")  # fmt: skip
    words = (
        f"{parameters():,} gradients in float32 are {4 * parameters() / 1e6:.1f} MB a step; "
        f"{NETWORK_GBIT}a Gbit/s a machine, {LATENCY * 1e6:.0f}a µs a hop, no overlap of computing "
        f"and summing. The second row of a count keeps a step to {LARGEST:,}a pictures."
    )
    return f"{table(head, rows)}\n\n{words}"
