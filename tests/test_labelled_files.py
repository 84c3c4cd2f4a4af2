"""A folder for each class, or a CSV: what is read, what is refused, what counts once."""

import os
import re
import resource
import shutil
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from lab import files
from lab.data import Photographs, aligned, class_names, labelled_files, load
from lab.data.dataset import sha256
from lab.data.fingerprints import picture_hashes
from lab.errors import LabError
from lab.progress import Progress
from lab.sources import labelled_sets


@pytest.fixture(autouse=True)
def cache_elsewhere(tmp_path_factory, monkeypatch):
    """Not in the folder that is read."""
    monkeypatch.setenv("LAB_CACHE", str(tmp_path_factory.mktemp("cache")))


def picture(path, number, size=(40, 30)):
    """A picture file of any kind; pictures of other numbers have other pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def folders(root, **classes):
    """A folder for each class with as many pictures as are asked for, all different."""
    number = 0
    for name, count in classes.items():
        for i in range(count):
            picture(root / name / f"{i}.png", (number := number + 1))
    return root


def table(path, *lines, encoding="utf-8"):
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def test_a_folder_for_each_class(tmp_path):
    """Seven formats, sub-folders of sub-folders; hidden files and files of other kinds left alone.

    Classes are in natural order.
    """
    folders(tmp_path, **{"1": 1, "10": 2, "2": 3})
    suffixes = ("jpg", "JPEG", "ppm", "webp", "bmp", "gif", "tif", "tiff", "PNG")
    for number, suffix in enumerate(suffixes):
        picture(tmp_path / "2" / "more" / f"x.{suffix}", 50 + number)
    (tmp_path / "2" / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "2" / "notes.txt").write_text("x")
    (tmp_path / "2" / "._a.jpg").write_bytes(b"x")
    (tmp_path / ".git" / "refs").mkdir(parents=True)
    (tmp_path / "2" / ".hidden").mkdir()
    (tmp_path / "2" / ".hidden" / "a.png").write_bytes(b"x")
    (tmp_path / "readme.md").write_text("x")
    data = load(tmp_path)
    assert data.names == ["1", "2", "10"]
    assert np.bincount(data.labels).tolist() == [1, 3 + len(suffixes), 2]
    assert data.labels.dtype == np.int64
    assert (data.crop, data.tracks, data.given) == ("centre", None, None)
    assert data.source == str(tmp_path)
    assert isinstance(data.images, Photographs)
    for file, label in zip(data.files, data.labels, strict=True):
        assert os.path.relpath(file, tmp_path).split(os.sep)[0] == data.names[label]
    np.testing.assert_array_equal(data.hashes, picture_hashes(data.images[:]))


@pytest.mark.parametrize("held_out", ["val", "valid", "validation", "test", "Test"])
def test_a_split_of_its_own(tmp_path, held_out):
    """train/ and val/ of that form; a picture on both sides is trained on alone, and it is said."""
    folders(tmp_path / "train", cat=3, dog=2)
    picture(tmp_path / held_out / "dog" / "new.png", 99)
    shutil.copy(tmp_path / "train/dog/1.png", tmp_path / held_out / "dog" / "same.png")
    data = load(tmp_path)
    assert data.names == ["cat", "dog"]
    assert data.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert data.given.tolist() == [False] * 5 + [True]
    assert data.given.dtype == bool
    assert data.files[-1].endswith("new.png")
    assert data.subset(np.array([5, 0])).given.tolist() == [True, False]


def test_classes_that_are_called_train_and_test(tmp_path):
    """Folders with pictures right in them are classes, whatever their names."""
    data = load(folders(tmp_path, train=2, test=2, bus=2))
    assert data.names == ["bus", "test", "train"]
    assert data.given is None


ODD = ("a,b", 'a "quote"', "<b>bold", "日本語", "é" * 60, "100%", "back\\slash", "-x", "'")


def test_odd_names(tmp_path):
    """Names are data: nothing in them is read as anything else."""
    for number, name in enumerate(ODD):
        picture(tmp_path / name / "a.png", number)
    assert set(load(tmp_path).names) == set(ODD)
    picture(tmp_path / os.fsdecode(b"caf\xe9") / "a.png", 77)  # no UTF-8
    names = load(tmp_path).names
    assert all(name.encode("utf-8") for name in names)
    decomposed = folders(tmp_path / "mac", **{"e\u0301": 1, "b": 1})  # as a Mac spells é
    assert load(decomposed).names == ["b", "é"]


def test_a_csv(tmp_path):
    """Files relative to its folder; groups become tracks; a byte order mark and quotes."""
    for number, name in enumerate(("a.png", "b/c.png", "d.png", "e.png", "f.png")):
        picture(tmp_path / "pictures" / name, number)
    long = "x" * 300
    path = table(
        tmp_path / "labels.CSV",
        "group,file,class,remark",
        'one,pictures/a.png,"slash/comma, ""quote""",',
        f"two,pictures/b/c.png,{long},x",
        f"one,pictures/d.png,{long},",
        f",{tmp_path / 'pictures' / 'e.png'},{long},",
        f",pictures/f.png,{long},",
        encoding="utf-8-sig",
    )
    data = load(path)
    assert data.names == ['slash/comma, "quote"', long]
    assert data.labels.tolist() == [0, 1, 1, 1, 1]
    assert data.tracks[0] == data.tracks[2]
    assert len(np.unique(data.tracks)) == 4  # an empty group is one of its own
    plain = table(tmp_path / "plain.csv", "file,class", "pictures/a.png,a", "pictures/d.png,b")
    assert load(plain).tracks is None
    assert load(plain).no_tracks == "no column group says which of its pictures show one object"


def test_names_of_folders_and_tables_are_the_same(tmp_path):
    """However é is spelled on either side: one character, or two as on a Mac."""
    for name, other in (("caf\u00e9", "cafe\u0301"), ("cafe\u0301", "caf\u00e9")):
        root = folders(tmp_path / ascii(name), **{name: 1, "b": 1})
        lines = [f"{name}/0.png,{other}", "b/0.png,b"]
        listed = load(table(root / "t.csv", "file,class", *lines))
        assert listed.names == load(root).names == ["b", "caf\u00e9"]
        assert aligned(listed, load(root).names).labels.tolist() == [1, 0]


TABLES = {
    "no class": (["file,label", "a.png,x"], r"line 1: .*; class is missing \(received file,label"),
    "empty": ([""], "line 1: .*file is missing"),
    "semicolons": (["file;class", "a.png;x"], r"file is missing \(received file;class\)"),
    "no rows": (["file,class"], "expected a row for each picture; received none"),
    "twice": (
        ["file,class", "a.png,x", "b.png,y", "./a.png,x"],
        r"line 4: expected each file once; received .*a\.png again, after .*line 2",
    ),
    "no label": (
        ["file,class", "a.png,x", "b.png, "],
        r"line 3: expected a file and a class; .*b\.",
    ),
    "short": (["file,class", "a.png,x", "b.png"], "line 3: expected a file and a class"),
    "too many": (
        ["file,class", *(f"{number},x" for number in range(100_001))],
        "expected at most 100,000 rows; received more; leave some out, or name a folder",
    ),
    "long": (["file,class", "a.png,x,y"], "line 2: expected a file and a class"),
    "missing": (
        ["file,class", "a.png,x", "gone.png,y"],
        r"1 of 2 .*line 3: .*gone\.png: expected a picture .*there is no such file",
    ),
    "a folder": (["file,class", "a.png,x", ".,y"], "line 3: .*received a folder"),
    "a long name": (["file,class", f"{'a' * 300},x"], r"line 2: .*name too long"),
    "a zero byte": (["file,class", "a\0.png,x"], "line 2: expected a file|line contains NUL"),
}


def test_a_csv_that_writes_its_files_in_another_way(tmp_path):
    """As `find . -name '*.png'` names them; twice, since hashes are remembered."""
    for number in range(2):
        picture(tmp_path / "a" / f"{number}.png", number)
    path = table(tmp_path / "t.csv", "file,class", "./a/0.png,cat", "a//1.png,dog")
    for _ in range(2):
        assert load(path).labels.tolist() == [0, 1]


def test_a_long_group_takes_no_room_in_the_others():
    """NumPy gives every text of an array the room of the longest: 0.8 GB, three times."""
    rows = [
        labelled_files.LabelledFile(f"{i}.png", "ab"[i % 2], "g" * 9900 if i == 0 else f"{i % 7}")
        for i in range(20_000)
    ]
    seen = [labelled_files.Checked(row, i, None) for i, row in enumerate(rows)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    data = labelled_files._dataset(seen, ["a", "b"], "t.csv", "centre")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**16  # kB
    assert data.tracks[:9].tolist() == [7, 1, 2, 3, 4, 5, 6, 0, 1]


def test_a_class_of_many_numbers_is_sorted_by_its_start():
    assert len(labelled_files._natural("1a" * 4900)[0]) <= 1050


@pytest.mark.parametrize("name", TABLES)
def test_what_is_wrong_with_a_csv(tmp_path, name):
    """The line is named, and what to do."""
    lines, message = TABLES[name]
    for number, file in enumerate(("a.png", "b.png")):
        picture(tmp_path / file, number)
    refused(table(tmp_path / "t.csv", *lines), f"(?i){message}")


class Told(Progress):
    """Keeps what is said."""

    def __init__(self):
        super().__init__()
        self.text = ""

    def say(self, text):
        super().say(text)
        self.text += f"{text} "


def refused(path, message, **options):
    """The error; what is said before it and the error hold the message."""
    told = Told()
    with pytest.raises(LabError) as caught:
        load(path, progress=told, **options)
    assert re.search(message, f"{told.text}{caught.value}")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 300
    return str(caught.value)


def test_a_csv_that_is_no_text(tmp_path):
    """Latin-1, a table program's own format, no file."""
    table(tmp_path / "a.csv", "file,class", "é.png,x", encoding="latin-1")
    refused(tmp_path / "a.csv", r"a\.csv: expected a table in UTF-8")
    refused(tmp_path / "b.csv", r"b\.csv: expected a table .*; there is no such file")


def test_folders_that_hold_no_classes(tmp_path):
    """What a folder must look like; an empty class; links that lead nowhere or in circles."""
    message = "sub-folder of pictures for each class, or with train/ and val/ .* no sub-folders"
    refused(tmp_path, message)
    picture(tmp_path / "a.png", 0)
    refused(tmp_path, message)
    folders(tmp_path, cat=2)
    (tmp_path / "dog").mkdir()
    (tmp_path / "dog" / "notes.txt").write_text("x")
    refused(tmp_path, r"dog: expected pictures of a class .*; received a folder without any")
    picture(tmp_path / "dog" / "a.png", 9)
    assert len(load(tmp_path)) == 3
    (tmp_path / "loop").symlink_to("loop")
    refused(tmp_path, r"loop: expected a link to a folder .*to nothing or to itself")
    (tmp_path / "loop").unlink()
    (tmp_path / "loop").symlink_to(tmp_path)
    refused(tmp_path, r"loop: expected a link to a folder .*to nothing or to itself")
    (tmp_path / "loop").unlink()
    (tmp_path / "cat" / "loop.png").symlink_to("loop.png")
    refused(tmp_path, r"1 of 4 .*loop\.png: .*[Ll]evels of symbolic links")
    (tmp_path / "cat" / "loop.png").unlink()
    (tmp_path / "cat" / "up").symlink_to(tmp_path)  # below a class, links are not followed
    assert len(load(tmp_path)) == 3


def test_pictures_in_no_class_are_told(tmp_path, capfd):
    """Beside the classes' folders, beside train/ and val/, and in those: once, with the first."""

    def said():
        return [s for s in capfd.readouterr().err.splitlines() if s.startswith("left alone")]

    folders(tmp_path / "a", cat=2, dog=2)
    assert len(load(tmp_path / "a", progress=Progress())) == 4 and not said()
    for name in ("b.PNG", "a.jpg", ".c.png"):
        (tmp_path / "a" / name).touch()
    (tmp_path / "a" / "notes.txt").touch()
    assert len(load(tmp_path / "a", progress=Progress())) == 4
    assert said() == [f"left alone, as in no class's folder: 2 pictures, first {tmp_path}/a/a.jpg"]
    for part in ("train", "val"):
        folders(tmp_path / "b" / part, cat=2, dog=2)
    (tmp_path / "a").rename(tmp_path / "b" / "other")
    for name in ("b/x.png", "b/val/x.png"):
        (tmp_path / name).touch()
    load(tmp_path / "b", progress=Progress())
    assert said()[-2:] == [
        f"left alone, as in no class's folder: 2 pictures, first {tmp_path}/b/x.png",
        f"left alone, as neither train/ nor held out: 1, first {tmp_path}/b/other",
    ]


def test_files_of_other_kinds_are_told(tmp_path, capfd):
    """A telephone's HEIC is not read: how many of which suffix. JPEG by all its names is."""
    folders(tmp_path, cat=2, dog=2)
    for number, suffix in enumerate(("jfif", "JPE")):
        Image.fromarray(np.full((30, 30, 3), 90 * number, np.uint8)).save(
            tmp_path / "cat" / f"x.{suffix}", "JPEG"
        )
    assert len(load(tmp_path, progress=Progress())) == 6
    for name in ("Thumbs.db", "notes.TXT", "._a.heic", "labels.csv"):
        (tmp_path / "dog" / name).write_text("x")
    assert len(load(tmp_path, progress=Progress())) == 6
    assert "left alone" not in capfd.readouterr().err
    for i in range(3):
        (tmp_path / "cat" / f"{i}.HEIC").touch()
        (tmp_path / "dog" / f"{i}.heic").touch()
    for name in ("a.mov", "b.mov", "b", *(f"c.{'x' * i}" for i in range(1, 5))):
        (tmp_path / "dog" / name).touch()
    assert len(load(tmp_path, progress=Progress())) == 6
    lines = capfd.readouterr().err.splitlines()
    (line,) = (line for line in lines if line.startswith("left alone"))
    assert re.fullmatch(
        r"left alone, as no pictures by their names: 6 \.heic, 2 \.mov, "
        r"1 without a suffix, 1 \.x, 1 \.x+, 2 others",
        line,
    )
    for file in (tmp_path / "cat").iterdir():
        if file.suffix != ".HEIC":
            file.unlink()
    refused(tmp_path, r"cat: expected pictures of a class .*; received 3 \.heic; add some")


def test_links_to_folders_elsewhere(tmp_path):
    """A class may be a link."""
    folders(tmp_path / "there", cat=2, dog=1)
    (tmp_path / "here").mkdir()
    for name in ("cat", "dog"):
        (tmp_path / "here" / name).symlink_to(tmp_path / "there" / name)
    assert np.bincount(load(tmp_path / "here").labels).tolist() == [2, 1]


def wide_png(path):
    """A PNG of a million pixels across, of which no row is there."""
    header = struct.pack(">IIBBBBB", 10**6, 1, 8, 2, 0, 0, 0)
    row = zlib.compress(bytes(3 * 10**6 + 1))
    content = b"\x89PNG\r\n\x1a\n"
    for name, data in ((b"IHDR", header), (b"IDAT", row), (b"IEND", b"")):
        crc = struct.pack(">I", zlib.crc32(name + data))
        content += struct.pack(">I", len(data)) + name + data + crc
    path.write_bytes(content)


@pytest.mark.parametrize("crop", ["centre", "squeeze"])
def test_a_million_pixels_across(tmp_path, crop):
    """Its centre shows too little."""
    folders(tmp_path, cat=2, dog=2)
    wide_png(tmp_path / "cat" / "wide.png")
    refused(tmp_path, r"wide\.png: .*received one of 1000000x1 pixels, where", crop=crop)


def test_broken_pictures_are_named_and_counted(tmp_path, capfd):
    """Ten of them, each with its reason; left out if that is asked for, and said."""
    folders(tmp_path, cat=3, dog=2)
    for number in range(12):
        (tmp_path / "cat" / f"x{number:02}.jpg").write_bytes(b"\xff\xd8" * number)
    message = r"12 of 17 pictures cannot be read, first .*; mend them, .*--skip-broken$"
    refused(tmp_path, message)
    err = capfd.readouterr().err
    assert "12 of 17 pictures cannot be read:\n" in err and err.endswith("\n  and 2 more\n")
    assert "x00.jpg: expected a picture" in err and "an empty file" in err
    assert "x09.jpg" in err and "x10.jpg" not in err
    data = load(tmp_path, skip_broken=True, progress=Progress())
    assert np.bincount(data.labels).tolist() == [3, 2]
    err = capfd.readouterr().err
    assert "left out: 12 of 17 pictures cannot be read:\n" in err
    assert "x09.jpg" in err
    for file in (tmp_path / "dog").iterdir():
        file.write_bytes(b"")
    refused(tmp_path, "pictures of the class dog; none is left", skip_broken=True)


def test_the_same_picture_twice(tmp_path, capfd):
    """By its pixels, whatever the file; it counts once, and that is said."""
    folders(tmp_path, cat=2, dog=2)
    with Image.open(tmp_path / "cat" / "0.png") as image:
        image.save(tmp_path / "cat" / "z.bmp")
    data = load(tmp_path, progress=Progress())
    assert [os.path.basename(file) for file in data.files] == ["0.png", "1.png"] * 2
    err = capfd.readouterr().err
    assert "left out: 1 of 5 pictures, as copies:\n" in err
    assert f"{tmp_path}/cat/z.bmp is {tmp_path}/cat/0.png" in err


def test_a_picture_in_two_classes(tmp_path, capfd):
    """Nobody knows which is right: it counts in neither, and both files are named."""
    folders(tmp_path, cat=2, dog=2)
    shutil.copy(tmp_path / "cat" / "0.png", tmp_path / "dog" / "cat.png")
    data = load(tmp_path, progress=Progress())
    assert np.bincount(data.labels).tolist() == [1, 2]
    err = capfd.readouterr().err
    assert "left out: 2 of 5 pictures, since they are in two classes:\n" in err
    assert f"{tmp_path}/cat/0.png (cat) is {tmp_path}/dog/cat.png (dog)" in err
    shutil.copy(tmp_path / "cat" / "0.png", tmp_path / "cat" / "9.png")  # x, x, y: three in all
    shutil.copy(tmp_path / "cat" / "0.png", tmp_path / "emu.png")
    rows = [f"{name}/{i}.png,{name}" for name in ("cat", "dog") for i in range(2)]
    rows += ["dog/cat.png,dog", "emu.png,cat", "cat/9.png,cat"]  # x, y, x, x
    for source, count in ((tmp_path, 3), (table(tmp_path / "t.csv", "file,class", *rows), 4)):
        assert np.bincount(load(source, progress=Progress()).labels).tolist() == [1, 2]
        err = capfd.readouterr().err
        assert f"left out: {count} of {count + 3} pictures, since they are in two classes" in err
        assert "as copies" not in err and err.count(" is ") == 1
    (tmp_path / "cat" / "9.png").unlink()
    shutil.rmtree(tmp_path / "dog")
    shutil.copytree(tmp_path / "cat", tmp_path / "dog")
    refused(tmp_path, "pictures of the class cat; none is left, .* or are in another class as well")


def test_both_sides_are_said(tmp_path, capfd):
    """A copy in val/ is named with its original in train/."""
    folders(tmp_path / "train", cat=2, dog=2)
    folders(tmp_path / "val", cat=1)  # the first of the same pictures
    picture(tmp_path / "val" / "dog" / "new.png", 99)
    data = load(tmp_path, progress=Progress())
    assert data.given.tolist() == [False] * 4 + [True]
    err = capfd.readouterr().err
    heading = (
        "left out: 1 of 6 pictures, as copies (1 in train/ and held out: these are trained on)"
    )
    assert f"{heading}:\n" in err


def test_as_signs(tmp_path):
    """A folder of signs comes to 32x32 in memory; official names or numbers find their classes."""
    names = class_names()
    for number, label in enumerate((14, 12, 14, 1 + 32)):
        picture(tmp_path / "numbers" / f"{label:05}" / f"{number}.jpg", number)
        picture(tmp_path / "names" / names[label] / f"{number}.jpg", number)
    for folder in ("numbers", "names"):
        data = load(tmp_path / folder, crop="sign")
        assert data.images.shape == (4, 32, 32, 3)
        np.testing.assert_array_equal(data.hashes, picture_hashes(data.images))
        same = aligned(data, names)
        assert sorted(same.labels) == [12, 14, 14, 33]
        assert same.names == names
    refused(tmp_path / "numbers" / "00014", "no sub-folders", crop="sign")


def test_signs_are_no_photographs(tiny_p):
    """train.p and drawn signs have no crop but their own."""
    assert load(tiny_p, crop="sign").crop == "sign"
    refused(tiny_p, "received traffic signs, which go in at 32x32", crop="centre")
    with pytest.raises(LabError, match="received traffic signs, which go in at 32x32"):
        labelled_sets.read(labelled_sets.locate("rendered", offline=True), crop="squeeze")


def test_43_folders_that_are_not_gtsrb(tmp_path):
    """Not even if their pictures are called by five digits; GTSRB is known by its tables."""
    for label in range(43):
        picture(tmp_path / f"{label:05}" / "00000.ppm", label, (8, 8))
    assert np.bincount(load(tmp_path).labels).tolist() == [1] * 43
    table(tmp_path / "00007" / "GT-00007.csv", "Filename;Width")
    refused(tmp_path, "expected one set of pictures; received 43")


def test_aligned(tmp_path):
    """By name, whatever the order; a class that is missing is fine, one too many is named."""
    data = load(folders(tmp_path, cat=2, dog=1))
    moved = aligned(data, ["dog", "emu", "cat"])
    assert moved.labels.tolist() == [2, 2, 0]
    assert moved.names == ["dog", "emu", "cat"]
    assert moved.files == data.files
    part = aligned(data.subset(data.labels == 1), ["emu", "dog"])  # no picture shows a cat
    assert part.labels.tolist() == [1]
    with pytest.raises(LabError, match=r"the 2 of the training: emu, cat; received 1 .*'dog'"):
        aligned(data, ["emu", "cat"])
    with pytest.raises(LabError, match=r"Speed limit .*\.\.\.; received 2 others: 'cat', 'dog'"):
        aligned(data, class_names())
    digits = load(folders(tmp_path / "digits", **{"0": 1, "1": 1}))
    with pytest.raises(LabError, match="received 2 others: '0', '1'"):
        aligned(digits, ["zero", "one"])


def test_the_hash_is_of_the_pixels(tmp_path):
    """Not of paths; another pixel, label or crop is another set."""
    folders(tmp_path / "a", cat=2, dog=1)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    hashed = sha256(load(tmp_path / "a"))
    assert sha256(load(tmp_path / "b")) == hashed
    assert sha256(load(tmp_path / "a", crop="squeeze")) != hashed
    picture(tmp_path / "b" / "cat" / "1.png", 77)
    assert sha256(load(tmp_path / "b")) != hashed


def test_a_second_run_decodes_nothing(tmp_path, monkeypatch):
    """But a file that has changed, and what was broken; of another crop, everything."""
    decoded, prepared = [], labelled_files.prepared

    def noted(path, crop):
        decoded.append(os.path.relpath(path, tmp_path))
        return prepared(path, crop)

    monkeypatch.setattr(labelled_files, "prepared", noted)
    folders(tmp_path, cat=2, dog=2)
    (tmp_path / "dog" / "x.png").write_bytes(b"")
    first = load(tmp_path, skip_broken=True)
    assert len(decoded) == 5
    decoded.clear()
    again = load(tmp_path, skip_broken=True)
    assert decoded == ["dog/x.png"]
    np.testing.assert_array_equal(again.hashes, first.hashes)
    picture(tmp_path / "dog" / "x.png", 20)
    picture(tmp_path / "cat" / "0.png", 21)
    changed = load(tmp_path)
    assert sorted(decoded) == ["cat/0.png", "dog/x.png", "dog/x.png"]
    np.testing.assert_array_equal(changed.hashes, picture_hashes(changed.images[:]))
    decoded.clear()
    load(tmp_path, crop="squeeze")
    assert len(decoded) == 5
    for content in ("", "[]", "[1]", "{", '{"a": 1}'):
        for file in files.cache_folder().glob("hashes-*.json"):
            file.write_text(content)
        assert len(load(tmp_path)) == 5


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    """Then a second run decodes again."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("LAB_CACHE", str(tmp_path / "file"))
    assert len(load(folders(tmp_path / "data", cat=2, dog=1))) == 3


def test_an_option_names_a_folder(tmp_path, capfd):
    """--data FOLDER: the pictures are counted."""
    path = labelled_sets.locate(str(folders(tmp_path, cat=2, dog=1)), offline=True)
    data = labelled_sets.read(path, crop="squeeze")
    assert data.crop == "squeeze"
    assert f"data: {tmp_path} (3 pictures, 2 classes)" in capfd.readouterr().err
    (tmp_path / "dog" / "1.png").write_bytes(b"")
    assert len(labelled_sets.read(path, skip_broken=True)) == 3
