"""The whole network's training: augmentation, what it learns, how it stops and goes on."""

import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import alexnet
import train_feature_extraction
from lab import weights
from lab.data import fingerprints, splits, train_p
from lab.errors import LabError
from lab.features import Recipe, extractor
from lab.training import augmentation, draws, learner, notices, plans, whole_network


@pytest.fixture(scope="module")
def data(tiny):
    """The tiny data as Dataset."""
    return train_p.from_dict(tiny, "tiny.p")


def small_plan(epochs=2, **other):
    """Input of 99 pixels, all epochs."""
    parts = {"batch_size": 30, "sizes": (99,), "rate": 1e-3, "scale": alexnet.PICTURE_SCALE}
    return plans.Plan(epochs, **(parts | other))


def started(data, plan, rows=slice(0, None, 2)):
    """A training of random weights on every second picture."""
    images, labels = data.images[rows], data.labels[rows]
    return learner.Learner(whole_network.random_arrays(0), images, labels, plan, 43)


PLAIN = Recipe("plain", ("pool5",))


def copies(images, size, ranges=plans.SIGNS, seed=0, recipe=PLAIN):
    """Random copies of pictures, as arrays."""
    return augmentation.augment(images, size, tf.constant([0, seed]), ranges, recipe).numpy()


def test_copies_are_new_and_repeatable(data):
    """The same seed gives the same copies, another seed others; size and range are as asked."""
    images = tf.constant(data.images[:8])
    one, again = (copies(images, 99, seed=1) for _ in "ab")
    other = copies(images, 99, seed=2)
    assert one.shape == (8, 99, 99, 3) and one.min() >= 0 and one.max() <= 255
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).mean() > 5
    assert len(np.unique(one.reshape(8, -1).mean(1))) == 8


def test_a_copy_without_changes_is_the_enlarged_picture(data):
    """With every range at zero what is left is tf.image.resize."""
    images = tf.constant(data.images[:4])
    wanted = tf.image.resize(images, (99, 99)).numpy()
    assert np.abs(copies(images, 99, plans.Ranges()) - wanted).max() < 1


@pytest.mark.parametrize("size", [99, 163])
def test_a_copy_without_changes_is_what_is_named(data, size):
    """Zoom and even contrast are the same in training and in answering."""
    recipe = plans.of_kind("scratch", 1, 64, 0, "float32").recipe
    assert (recipe.zoom, recipe.size, recipe.contrast) == (0.7, 163, True)
    seen = extractor.prepared(tf.constant(data.images[:4]), recipe, size)
    trained = copies(data.images[:4], size, plans.Ranges(), recipe=recipe)
    assert np.abs(trained - seen).max() < 1
    assert np.abs(trained - copies(data.images[:4], size, plans.Ranges())).mean() > 10


def test_a_flat_picture_stays_finite():
    """One colour, black among them, with every change at its strongest."""
    flat = np.zeros((20, 32, 32, 3), np.uint8)
    flat[10:] = (200, 30, 90)
    shares = ("ground", "motion", "noise", "jpeg", "defocus", "haze", "pepper", "coarse")
    ranges = replace(plans.HARD, **dict.fromkeys(shares, 1.0), grey=0.5)
    recipe = replace(PLAIN, contrast=True)
    x = copies(flat, 99, ranges, recipe=recipe)
    assert np.isfinite(x).all() and x.min() >= 0 and x.max() <= 255


def painted(**ranges):
    """200 copies of a grey sign with a black stripe, only what is named changed."""
    picture = np.full((32, 32, 3), 180, np.uint8)
    picture[:, 14:18] = 0
    return copies(np.repeat(picture[None], 200, axis=0), 32, plans.Ranges(**ranges))


def test_the_ground_is_painted():
    """The light pixels take a colour, mostly yellow; black stays black and the margin as it was."""
    x = painted(ground=1.0)
    ground = x[:, 12:20, 8:12].mean(axis=(1, 2))
    yellow = (ground[:, 2] < 0.7 * ground[:, :2].min(axis=1)).mean()
    assert 0.55 < yellow < 0.9
    assert x[:, :, 15:17].max() < 1 and np.abs(x[:, 0, 0] - 180).max() < 4
    share = (np.abs(painted(ground=0.2)[:, 16, 10] - 180).max(axis=1) > 4).mean()
    assert 0.1 < share < 0.3


def test_a_shift_is_a_share_of_any_side():
    """Photographs of 227 pixels move as far as signs of 32."""
    large = np.zeros((60, 227, 227, 3), np.uint8)
    large[:, 100:127, 30:60] = 255
    x = copies(large, 64, plans.Ranges(shift=0.1)).sum(axis=3).sum(axis=1)
    middle = (x * np.arange(64)).sum(axis=1) / x.sum(axis=1)
    shift = middle - (44.5 / 227 * 64 - 0.5)
    assert np.abs(shift).max() < 0.1 * 64 + 0.3 and np.abs(shift).max() > 0.08 * 64
    moved = copies(large[:, :, ::-1], 64, plans.PHOTOGRAPHS)
    assert moved.shape == (60, 64, 64, 3) and np.isfinite(moved).all()


def test_copies_keep_the_meaning():
    """Not mirrored unless told: a mark left of the middle stays, within shift, turn and scale."""
    picture = np.zeros((1, 32, 32, 3), np.uint8)
    picture[0, 14:18, 6:10] = 255
    images = tf.constant(np.repeat(picture, 200, axis=0))
    moved = copies(images, 64, plans.MOVED).sum(axis=3)
    weight = moved.sum(axis=(1, 2))
    x = (moved.sum(axis=1) * np.arange(64)).sum(axis=1) / weight
    y = (moved.sum(axis=2) * np.arange(64)).sum(axis=1) / weight
    assert x.max() < 32 and abs(y - 31.5).max() < 20
    assert x.std() > 1 and y.std() > 1


def test_half_of_what_has_a_mirror_image_is_mirrored(data):
    """Picture and label together, of each class that has one; of the others none."""
    labels, mirrors = tf.constant([0, 1, 2] * 200, tf.int64), (-1, 1, 0)
    rows = 0, 600, 600
    turned, shown = augmentation.mirrored(labels, mirrors, rows, tf.constant([0, 5]))
    turned, shown = turned.numpy().reshape(200, 3), shown.numpy().reshape(200, 3)
    assert not turned[:, 0].any() and (np.abs(turned[:, 1:].mean(axis=0) - 0.5) < 0.1).all()
    assert (turned[:, 1] != turned[:, 2]).any()
    np.testing.assert_array_equal(shown, np.where(turned, [0, 1, 0], [0, 1, 2]))
    part, _ = augmentation.mirrored(labels[4:9], mirrors, (4, 5, 600), tf.constant([0, 5]))
    np.testing.assert_array_equal(part, turned.reshape(-1)[4:9])
    images, which = data.images[:4], tf.constant([True, False, True, False])
    mixed = augmentation.augment(
        images, 32, tf.constant([0, 0]), plans.Ranges(), PLAIN, turned=which
    )
    np.testing.assert_allclose(mixed[::2], images[::2, :, ::-1], atol=0.01)
    np.testing.assert_allclose(mixed[1::2], images[1::2], atol=0.01)


def test_picture_and_label_are_mirrored_together(data, monkeypatch):
    """A step turns the pictures that are drawn, and learns what they show then."""
    said, augment = {}, augmentation.augment

    def mirrored(labels, *_):
        said["turned"] = tf.ones_like(labels, tf.bool)
        return said["turned"], tf.fill(tf.shape(labels), tf.constant(20, tf.int64))

    def given(*args):
        said["given"] = args[-1]
        return augment(*args)

    monkeypatch.setattr(augmentation, "mirrored", mirrored)
    monkeypatch.setattr(augmentation, "augment", given)
    run = started(data, small_plan())
    run.train_epoch()
    bias = run.head()[1]
    assert said["given"] is said["turned"]
    assert bias[20] > 0 and (np.delete(bias, 20) < 0).all()


def test_dirt_comes_also_where_an_epoch_is_one_step():
    """Clean and dirty steps take turns over the whole training."""
    plan = small_plan(4, late=plans.HARD, late_from=0.5)
    assert [plan.copies(epoch, epoch).haze > 0 for epoch in range(4)] == [False] * 3 + [True]


def test_it_learns(data):
    """The loss falls, and the pictures it learned from are named right."""
    run = started(data, small_plan(10, rate=3e-4, ranges=plans.Ranges(), dropout=0.0))
    losses = []
    while run.epoch < 10:
        losses.append(run.train_epoch())
        run.end_epoch()
    assert losses[-1] < 0.7 * losses[0]
    predicted = run.predict(data.images, 99).argmax(axis=1)
    assert np.mean(predicted == data.labels) >= 0.5  # chance is a third


def test_the_learning_rate_rises_and_falls(data):
    """Warm-up, then a cosine to 0."""
    run = started(data, small_plan(100))
    rates = [run._rate(step) for step in range(100 * run.steps)]
    top = int(np.argmax(rates))
    assert 0 < top <= plans.WARMUP and max(rates) <= 1e-3
    assert np.all(np.diff(rates[top:]) <= 0) and rates[-1] < 1e-6


def test_more_dirt_comes_in_the_second_half():
    """Half of its steps are dirty: random weights first learn what signs look like.

    ImageNet's weights stay clean; weights that know dirt see it from the beginning.
    """
    scratch, tuned = (plans.of_kind(kind, 5, 30, 0, "float32") for kind in ("scratch", "all"))
    dirty = [[scratch.copies(epoch, step).haze > 0 for epoch in range(5)] for step in range(3)]
    assert dirty == [[False] * 5, [False] * 3 + [True] * 2, [False] * 5]
    assert {tuned.copies(epoch, 1) for epoch in range(5)} == {plans.SIGNS}
    trunk = weights.Weights({}, "0" * 64, Path("trunk.npz"), {"plan": {"late": {"haze": 0.1}}})
    onward = plans.of_kind("all", 5, 30, 0, "float32", trunk)
    assert [onward.copies(0, step).haze > 0 for step in range(3)] == [False, True, False]
    assert onward.sizes == tuned.sizes and onward.rate > tuned.rate
    for late in ("no", ["haze"], 5, {"haze": 0.0}, {"haze": "0.1"}, {"haze": [1]}, None):
        other = replace(trunk, recipe={"plan": {"late": late}})
        assert plans.of_kind("all", 5, 30, 0, "float32", other) == tuned
    photographs = plans.of_kind("scratch", 5, 30, 0, "float32", crop="squeeze", names="ab")
    assert photographs.mirrors == (0, 1)  # either way round
    assert {photographs.copies(epoch, 1) for epoch in range(5)} == {plans.PHOTOGRAPHS}


def test_what_is_kept_is_the_network(data):
    """Trunk and head, put together from arrays, give the logits of the training's own network."""
    run = started(data, small_plan(1))
    run.train_epoch()
    images = data.images[:4]
    arrays, (kernel, bias) = run.arrays(), run.head()
    x = images.astype(np.float64)
    mean, deviation = (f(x, axis=(1, 2, 3), keepdims=True) for f in (np.mean, np.std))
    large = tf.image.resize(np.clip(115 + 55 * (x - mean) / deviation, 0, 255), (99, 99))
    pool5 = alexnet.build(arrays, "pool5", size=99)(large).numpy().reshape(4, -1)
    logits = run.predict(images, 99)
    assert np.abs(pool5 @ kernel + bias - logits).max() < 1e-3 * np.abs(logits).max() + 1e-4


def test_fine_tuning_starts_from_the_given_weights(data):
    """Before the first step, the network is the one that was given."""
    arrays = whole_network.random_arrays(3)
    run = learner.Learner(arrays, data.images, data.labels, small_plan(scale=1.0), 43)
    for name, pair in run.arrays().items():
        for ours, given in zip(pair, arrays[name], strict=True):
            np.testing.assert_allclose(ours, given, rtol=1e-6)


def test_dropout_drops_half_of_what_the_head_is_trained_on():
    """The other half is doubled; each picture's mask is its own, whatever part of the batch."""
    ones, seed = tf.ones((30, 1024)), tf.constant([0, 7])
    whole = draws.dropped(ones, 0.5, (0, 30, 30), seed).numpy()
    assert set(np.unique(whole)) == {0, 2} and 0.45 < np.mean(whole == 0) < 0.55
    np.testing.assert_array_equal(draws.dropped(ones[:10], 0.5, (20, 10, 30), seed), whole[20:])
    assert (whole[:20] != whole[10:]).any()


def test_copies_do_not_depend_on_where_they_are_made(data):
    """A part of a batch gets the copies that the whole batch would have given it."""
    seed, how = tf.constant([0, 3]), (plans.HARD, PLAIN)
    whole = augmentation.augment(data.images[:9], 99, seed, *how).numpy()
    part = augmentation.augment(data.images[4:7], 99, seed, *how, first=4, batch=9).numpy()
    assert np.abs(part - whole[4:7]).max() < 1e-3
    assert np.abs(part - whole[3:6]).mean() > 1


@pytest.mark.parametrize("kind", plans.KINDS)
def test_the_same_bits_also_after_a_kill(data, tmp_path, monkeypatch, kind):
    """Trained twice, the second time killed in the middle of an epoch and gone on with."""
    monkeypatch.setattr(learner, "CHECKPOINT_STEPS", 1)
    plan = plans.of_kind(kind, 2, 30, 0, "float32", names=data.names)
    plan = replace(plan, sizes=(99,))
    rows = slice(0, None, 3)  # three steps an epoch
    whole = started(data, plan, rows)
    while whole.epoch < 2:
        whole.train_epoch()
        whole.end_epoch()

    steps = iter(range(2))

    def killed():
        if next(steps):  # at the end of the second
            raise KeyboardInterrupt

    first = started(data, plan, rows)
    first.train_epoch()
    first.end_epoch(validation_accuracy=0.5)
    with pytest.raises(KeyboardInterrupt):
        first.train_epoch(tmp_path / "c.npz", killed)
    second = started(data, plan, rows)
    second.restore(tmp_path / "c.npz")
    assert (second.epoch, second.step) == (1, 2)
    second.train_epoch()
    second.end_epoch()
    assert [h["loss"] for h in second.history] == [h["loss"] for h in whole.history]
    for name, pair in whole.arrays().items():
        for array, again in zip(pair, second.arrays()[name], strict=True):
            assert array.tobytes() == again.tobytes(), name
    for array, again in zip(whole.head(), second.head(), strict=True):
        assert array.tobytes() == again.tobytes()


def test_a_checkpoint_of_another_plan_is_refused(data, tmp_path):
    """What differs is named; so is a file that is no checkpoint."""
    run = started(data, small_plan())
    run.save(tmp_path / "c.npz")
    with pytest.raises(LabError, match="written with another seed: resume with the same options"):
        started(data, small_plan(seed=1)).restore(tmp_path / "c.npz")
    (tmp_path / "bad.npz").write_bytes(b"PK")
    with pytest.raises(LabError, match="expected a checkpoint of this training"):
        run.restore(tmp_path / "bad.npz")


def test_a_loss_that_is_no_number_stops_the_run(data, tmp_path):
    """Epoch and step are named, and the last good checkpoint stays as it was."""
    run = started(data, small_plan())
    run.save(tmp_path / "c.npz")
    before = (tmp_path / "c.npz").read_bytes()
    run.step = 1
    run.model.get_layer("head").bias.assign(tf.fill(43, np.nan))
    with pytest.raises(LabError, match="received nan in epoch 1, step 2 of 4"):
        run.train_epoch(tmp_path / "c.npz")
    run.save(tmp_path / "c.npz")
    assert (tmp_path / "c.npz").read_bytes() == before


def test_a_device_whose_memory_is_exhausted(data, tiny_p, conv_npz, tmp_path, monkeypatch, capfd):
    """One line with a smaller batch, status 2."""

    def exhausted(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor\nof shape")

    monkeypatch.setattr(learner.Learner, "_descend", exhausted)
    argv = ["--data", str(tiny_p), "--weights", str(conv_npz), "--train", "all"]
    argv += ["--batch-size", "30", "--output", str(tmp_path / "r")]
    assert train_feature_extraction.main(argv) == 2
    line = capfd.readouterr().err.splitlines()[-1]
    assert line.startswith("error: expected room for a step of 30 pictures; the device's memory is")
    assert line.endswith("start anew with --batch-size 15")


def test_the_network_by_the_script(tiny_p, conv_npz, tmp_path, data, capfd):
    """--train all: trunk and classifier that name signs alone, judged on tracks nobody learned."""
    argv = ["--data", str(tiny_p), "--weights", str(conv_npz), "--train", "all", "--epochs", "1"]
    argv += ["--split", "track", "--batch-size", "30", "--output", str(tmp_path / "r")]
    assert train_feature_extraction.main(argv) == 0
    metrics = json.loads((tmp_path / "r/metrics.json").read_text())
    assert metrics["train"] == "all" and 0 <= metrics["test_tracks_accuracy"] <= 1
    assert metrics["fitted_on_judged"] is False
    trunk = weights.read(tmp_path / "r/trunk.npz")
    assert trunk.recipe["plan"]["mirrors"][38] == 39
    split = splits.three_way(data)
    train, validation, test = split.train, split.held_out, split.test
    prints = fingerprints.of(data)
    seen = fingerprints.seen(prints, trunk.trained_on, trunk.held_out)
    assert set(np.flatnonzero(seen)) == {*train, *validation}
    assert set(np.flatnonzero(~seen)) == set(test)
    assert not (tmp_path / "r/checkpoint.npz").exists()


def test_a_trunk_is_trained_on(data, tmp_path):
    """With its own split the test pictures are new to it; with another they are not."""
    split, prints = splits.three_way(data), fingerprints.of(data)
    trained_on = fingerprints.joined(prints[np.concatenate([split.train, split.held_out])])
    own = {"trained_on": trained_on, "held_out": np.unique(prints[split.test, 0])}
    weights.save(tmp_path / "w.npz", whole_network.random_arrays(0, "conv5"), **own)
    plan = small_plan(1)
    of = data, weights.read(tmp_path / "w.npz")
    training = whole_network.NetworkTraining("all", plan, "track", *of)
    np.testing.assert_array_equal(training.split.test, split.test)
    (notice,) = notices.notices_of(training, data, None, of[1], None)
    assert f"knew {len(split.held_out)} of the validation pictures" in notice
    assert f"that of the {len(split.test)} test pictures does" in notice
    for how, seed in (("track", 1), ("random", 0)):
        other = replace(plan, seed=seed)
        with pytest.raises(LabError, match=r"not trained on; it was, on .* the same --split"):
            whole_network.NetworkTraining("all", other, how, *of)


def test_without_test_pictures_the_judged_ones_are_fitted_on(data, tmp_path, monkeypatch):
    """Temperature and threshold: what they give is then so by construction, which is told."""
    monkeypatch.setattr(whole_network, "_learn", lambda *_: None)
    monkeypatch.setattr(whole_network, "COPIES", 0)
    few = data.subset(np.arange(0, 270, 9))
    training = whole_network.NetworkTraining("scratch", small_plan(1), "random", few, None)
    assert training.run(tmp_path).measured["fitted_on_judged"]


def test_what_cannot_be_trained(tiny_p, conv_npz, capfd, tmp_path):
    """float16 and the old lab's network, by their text."""
    argv = ["--data", str(tiny_p), "--weights", str(conv_npz), "--train", "all"]
    argv += ["--output", str(tmp_path / "r")]
    assert train_feature_extraction.main([*argv, "--precision", "float16"]) == 2
    assert "expected --precision float32 or bfloat16" in capfd.readouterr().err
    assert train_feature_extraction.main([*argv, "--variant", "lab"]) == 2
    assert "expected --variant caffe" in capfd.readouterr().err
    assert not (tmp_path / "r/trunk.npz").exists()


def test_small_input_first():
    """Scratch begins with small pictures, and answers at the size of the last epoch."""
    plan = plans.of_kind("scratch", 14, 64, 0, "bfloat16")
    sizes = [plan.size(epoch) for epoch in range(14)]
    assert sizes == [99] * 6 + [131] * 6 + [163] * 2 and plan.recipe.size == 163
    keras.backend.clear_session()


@pytest.mark.parametrize(
    ("recipe", "scale"), [({"by": "me"}, 1.0), ({"plan": {"scale": 0.5}}, 0.5)]
)
def test_the_scale_of_the_weights_that_it_starts_from(tmp_path, recipe, scale):
    """Whatever a weights file's recipe says, it has one."""
    weights.save(tmp_path / "w.npz", whole_network.random_arrays(0, "conv1"), recipe=recipe)
    start = weights.read(tmp_path / "w.npz")
    assert plans.of_kind("all", 1, 32, 0, "float32", start).scale == scale


def test_copies_without_changes_are_answered_like_the_pictures(data):
    """What the temperature is fitted on goes in as pictures do; with changes, it is other ones."""
    run = started(data, small_plan(ranges=plans.Ranges(), zoom=0.7))
    rng = np.random.default_rng(0)
    kernel, bias = (rng.normal(0, 1, part.shape) for part in run.head())  # it starts at 0
    run.model.get_layer("head").set_weights([kernel, bias])
    images = data.images[:70]
    plain = run.predict(images, 99)
    np.testing.assert_allclose(run.predict_copies(images, 0), plain, atol=1e-3)
    moved = started(data, small_plan(zoom=0.7))
    moved.model.set_weights(run.model.get_weights())
    first, second = (moved.predict_copies(images, seed) for seed in (0, 1))
    assert np.abs(first - plain).mean() > 0.01 and np.abs(first - second).mean() > 0.01
