"""Picture files of every kind are read as a person sees them; the resize rules against loops."""

import io
import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest
from filmed import at_32
from PIL import Image

import alexnet
from lab import files, pictures
from lab.errors import LabError

RED, WHITE = (255, 0, 0), (255, 255, 255)


def save(path, image, **options):
    image.save(path, **options)
    return path


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, depth, colour, rows):
    """A PNG written by hand: its header, then its rows, each with filter byte 0."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def fastest(function):
    """Seconds of the processor, at best."""
    seconds = []
    for _ in range(4):
        start = time.process_time()
        function()
        seconds.append(time.process_time() - start)
    return min(seconds)


def test_rgb_is_read_exactly(tmp_path):
    """An RGB picture comes back as it was, height first."""
    expected = noise(5, 7, 3)
    path = save(tmp_path / "a.png", Image.fromarray(expected))
    picture = pictures.read(path)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, expected)


def test_grey_is_three_equal_channels(tmp_path):
    """Grey and black-and-white pictures have the same value in all three channels."""
    grey = noise(4, 6)
    path = save(tmp_path / "a.png", Image.fromarray(grey))
    np.testing.assert_array_equal(pictures.read(path), np.stack([grey] * 3, axis=-1))
    path = save(tmp_path / "b.png", Image.fromarray(grey > 127))
    np.testing.assert_array_equal(pictures.read(path)[..., 1], np.where(grey > 127, 255, 0))


def test_transparency_is_laid_on_white(tmp_path):
    """RGBA, grey + alpha and a transparent palette colour: as on a white page."""
    rgba = np.array([[(255, 0, 0, 255), (255, 0, 0, 0), (0, 0, 0, 51)]], np.uint8)
    expected = [[RED, WHITE, (204, 204, 204)]]
    path = save(tmp_path / "a.png", Image.fromarray(rgba))
    np.testing.assert_array_equal(pictures.read(path), expected)
    path = save(tmp_path / "b.png", Image.fromarray(np.array([[(9, 255), (9, 0)]], np.uint8)))
    np.testing.assert_array_equal(pictures.read(path), [[(9, 9, 9), WHITE]])
    palette = Image.new("P", (2, 1))
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.putpixel((1, 0), 1)
    path = save(tmp_path / "c.png", palette, transparency=1)
    np.testing.assert_array_equal(pictures.read(path), [[RED, WHITE]])
    path = save(tmp_path / "d.gif", palette, transparency=1)
    np.testing.assert_array_equal(pictures.read(path), [[RED, WHITE]])


def test_transparent_pixels_are_blended_exactly_and_fast(tmp_path):
    """Every value under every alpha. 100 million pixels have two seconds: most go into decoding."""
    rgba = np.zeros((2560, 2048, 4), np.uint8)
    rgba[..., 0] = np.arange(2560)[:, None] % 256
    rgba[..., 3] = np.arange(2048) % 256
    path = save(tmp_path / "a.png", Image.fromarray(rgba), compress_level=1)
    picture, image = pictures.read(path), Image.open(path)
    decoding = fastest(lambda: Image.open(path).load())
    image.load()
    assert fastest(lambda: pictures.reading._rgb(image)) < 0.8 * decoding  # 0.5 to 0.65 seen
    alpha = rgba[:256, :256, 3:].astype(float)
    expected = (rgba[:256, :256, :3] * alpha + 255 * (255 - alpha)) / 255
    np.testing.assert_allclose(picture[:256, :256], expected, atol=0.51)


def test_opaque_alpha_changes_nothing(tmp_path):
    """An RGBA picture without transparent pixels is its own first three channels."""
    rgba = noise(9, 9, 4)
    rgba[..., 3] = 255
    path = save(tmp_path / "a.png", Image.fromarray(rgba))
    np.testing.assert_array_equal(pictures.read(path), rgba[..., :3])


def test_palette(tmp_path):
    """A palette picture has its palette's colours."""
    palette = Image.new("P", (2, 1), 1)
    palette.putpalette([1, 2, 3, 70, 80, 90])
    path = save(tmp_path / "a.png", palette)
    np.testing.assert_array_equal(pictures.read(path), [[(70, 80, 90)] * 2])


@pytest.mark.parametrize(("suffix", "tolerance"), [("tif", 0), ("jpg", 3)])
def test_cmyk(tmp_path, suffix, tolerance):
    """Print colours: magenta and yellow make red, no ink is white, black ink is black."""
    inks = np.zeros((8, 24, 4), np.uint8)
    inks[:, :8] = (0, 255, 255, 0)
    inks[:, 16:] = (0, 0, 0, 255)
    path = save(tmp_path / f"a.{suffix}", Image.fromarray(inks, "CMYK"))
    seen = pictures.read(path)[4, [4, 12, 20]].astype(int)
    assert np.abs(seen - [RED, WHITE, (0, 0, 0)]).max() <= tolerance


def test_16_bits_are_scaled_not_clipped(tmp_path):
    """16-bit grey, as PNG, TIFF of both byte orders and PGM, and 16-bit RGB: 65535 is white."""
    values, expected = [0, 100 * 257, 200 * 257 + 50, 65535], [0, 100, 200, 255]
    row = struct.pack(">4H", *values)
    (tmp_path / "a.png").write_bytes(png(4, 1, 16, 0, [row]))
    (tmp_path / "b.pgm").write_bytes(b"P5 4 1 65535\n" + row)
    save(tmp_path / "c.tif", Image.fromarray(np.array([values], "<u2")))
    save(tmp_path / "d.tif", Image.fromarray(np.array([values], ">u2")))
    (tmp_path / "e.png").write_bytes(
        png(4, 1, 16, 2, [np.repeat(values, 3).astype(">u2").tobytes()])
    )
    for name in ("a.png", "b.pgm", "c.tif", "d.tif", "e.png"):
        picture = pictures.read(tmp_path / name)
        assert picture.dtype == np.uint8
        np.testing.assert_array_equal(picture, np.repeat(expected, 3).reshape(1, 4, 3), name)


SHOWN = {  # Exif 2.3, section 4.6.4: which sides row 0 and column 0 of the file are
    1: lambda a: a,  # top, left
    2: lambda a: a[:, ::-1],  # top, right
    3: lambda a: a[::-1, ::-1],  # bottom, right
    4: lambda a: a[::-1],  # bottom, left
    5: lambda a: a.swapaxes(0, 1),  # left, top
    6: lambda a: a.swapaxes(0, 1)[:, ::-1],  # right, top
    7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],  # right, bottom
    8: lambda a: a.swapaxes(0, 1)[::-1],  # left, bottom
}


@pytest.mark.parametrize("orientation", SHOWN)
def test_exif_orientation(tmp_path, orientation):
    """A photograph taken sideways is turned as its Exif orientation says."""
    stored = noise(3, 5, 3)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "a.png", Image.fromarray(stored), exif=exif)
    np.testing.assert_array_equal(pictures.read(path), SHOWN[orientation](stored))


def test_exif_orientation_of_a_16_bit_picture(tmp_path):
    """Turning and scaling 16 bits go together."""
    stored = np.array([[0, 257, 514], [771, 1028, 65535]], np.uint16)
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "a.png", Image.fromarray(stored), exif=exif)
    np.testing.assert_array_equal(pictures.read(path)[..., 0], [[3, 0], [4, 1], [255, 2]])


def test_first_frame_of_an_animation(tmp_path):
    """Of an animated GIF the first frame is taken."""
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    path = save(tmp_path / "a.gif", frames[0], save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(pictures.read(path)[0, 0], RED)


def cut(content, share=0.5):
    return content[: int(len(content) * share)]


def as_bytes(kind, **options):
    file = io.BytesIO()
    Image.fromarray(noise(40, 40, 3)).save(file, kind, **options)
    return file.getvalue()


UNREADABLE = {
    "empty.png": (b"", "received an empty file; give a whole picture"),
    "text.png": (b"no picture\n" * 9, "received something else; give a whole picture"),
    "postscript.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "something else"),
    "cut.png": (cut(as_bytes("PNG")), "cannot be read .*truncated"),
    "cut.jpg": (cut(as_bytes("JPEG")), "cannot be read .*truncated"),
    "cut.ppm": (cut(as_bytes("PPM")), "cannot be read .*truncated"),
    "zero.ppm": (b"P6 0 0 255\n", "cannot be read|something else"),
    "zero.png": (png(0, 0, 8, 2, []), "cannot be read|something else"),
    "bomb.png": (png(60000, 60000, 8, 2, []), "of far more than 100,000,000 pixels"),
    "large.png": (
        png(10001, 10000, 8, 2, []),
        "one of 10001x10000 pixels, where at most 100,000,000",
    ),
}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_picture_is_one_line(tmp_path, name):
    """An empty, foreign, truncated, empty-sized or gigantic file is named, and what to do."""
    content, message = UNREADABLE[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(LabError, match=f"{name}: expected a picture .*({message})") as caught:
        pictures.read(path)
    assert "\n" not in str(caught.value)


def test_libtiff_says_nothing_of_its_own(tmp_path, capfd):
    """It would write to the terminal, past Python: a damaged TIFF is one line, ours."""
    stream = io.BytesIO()
    Image.fromarray(np.arange(4800, dtype=np.uint8).reshape(40, 40, 3)).save(
        stream, "TIFF", compression="tiff_lzw"
    )
    content = bytearray(stream.getvalue())
    content[8:200] = b"\xff" * 192  # of the packed pixels
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(LabError, match="received something that cannot be read"):
        pictures.read(tmp_path / "a.tif")
    assert capfd.readouterr().err == ""


def test_pixels_of_unknown_range(tmp_path):
    """Floating-point and 32-bit pixels have no known white: an error, not a guess."""
    path = save(tmp_path / "a.tif", Image.fromarray(np.ones((2, 2), np.float32)))
    with pytest.raises(LabError, match=r"a.tif: .* floating-point numbers of no known range"):
        pictures.read(path)
    path = save(tmp_path / "b.tif", Image.fromarray(np.full((2, 2), 70000, np.int32)))
    with pytest.raises(LabError, match=r"b.tif: .* more than 16 bits"):
        pictures.read(path)


def test_missing_file_and_folder(tmp_path):
    """A file that is not there, and a folder, are said to be that."""
    with pytest.raises(
        LabError, match=r"a.png: expected .*; there is no such file; check the name"
    ):
        pictures.read(tmp_path / "a.png")
    with pytest.raises(LabError, match="received a folder; name a file"):
        pictures.read(tmp_path)


def test_write_png(tmp_path):
    """What is written is read again, and no other file is left."""
    expected = noise(6, 5, 3)
    pictures.write_png(tmp_path / "out.png", expected)
    np.testing.assert_array_equal(pictures.read(tmp_path / "out.png"), expected)
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]


@pytest.mark.parametrize("shape", [(45, 38), (20, 33), (7, 3), (300, 40), (32, 32)])
def test_to_sign(shape):
    """Larger, smaller and oblong signs against the definition."""
    picture = noise(*shape, 3)
    sign = pictures.to_sign(picture)
    assert sign.dtype == np.uint8
    assert sign.shape == (32, 32, 3)
    assert np.abs(sign - at_32(picture)).max() <= 0.5 + 1e-3


def test_to_sign_undoes_an_enlargement():
    """32x32 stays as it is, and a sign of ten times as many pixels each way comes back exactly."""
    sign = noise(32, 32, 3)
    np.testing.assert_array_equal(pictures.to_sign(sign), sign)
    np.testing.assert_array_equal(pictures.to_sign(sign.repeat(10, 0).repeat(10, 1)), sign)


def old_loop(image, size):
    """TensorFlow 1's resize_images, bilinear: pixel i is taken at i * (old size / new size)."""
    height, width = image.shape[:2]
    result = np.zeros((size, size, 3))
    for i in range(size):
        for j in range(size):
            y, x = i * height / size, j * width / size
            top, left = int(y), int(x)
            bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
            dy, dx = y - top, x - left
            upper = image[top, left] * (1 - dx) + image[top, right] * dx
            lower = image[bottom, left] * (1 - dx) + image[bottom, right] * dx
            result[i, j] = upper * (1 - dy) + lower * dy
    return result


@pytest.mark.parametrize("size", [227, 20])
def test_old_resize_is_tensorflow_1s(size):
    """Larger and smaller, against the old rule written out as loops."""
    images = noise(2, 32, 32, 3)
    resized = alexnet.enlarge(images, "lab", size)
    assert resized.dtype == np.float32
    for image, seen in zip(images, resized, strict=True):
        np.testing.assert_allclose(seen, old_loop(image.astype(float), size), atol=1e-3)


def test_enlarge_is_tensorflows():
    """`enlarge` equals tf.image.resize, for uint8 and for float."""
    import tensorflow as tf

    images = noise(2, 32, 32, 3)
    expected = tf.image.resize(images, (227, 227)).numpy()
    np.testing.assert_allclose(alexnet.enlarge(images), expected, atol=1e-3)
    scaled = images.astype(np.float32) / 255
    np.testing.assert_allclose(alexnet.enlarge(scaled), expected / 255, atol=1e-5)
    assert alexnet.enlarge(images, size=64).shape == (2, 64, 64, 3)


def test_the_two_rules_differ_on_stop(lab_data):
    """On the lab's stop sign the old rule is 22 of 255 away from today's."""
    stop = pictures.read(lab_data / "lab" / "stop.jpg")[None]
    difference = np.abs(alexnet.enlarge(stop, "lab") - alexnet.enlarge(stop)).mean()
    assert 22 <= difference < 23


def test_photograph_keeps_the_middle():
    """The shorter side goes to 256 and the middle is cut out: edges are lost."""
    across, down = np.meshgrid(np.arange(600), np.arange(300))
    picture = np.stack([across // 3, down // 2, 0 * down], axis=-1).astype(np.uint8)
    seen = alexnet.photograph(picture)
    assert seen.shape == (227, 227, 3)
    # 600x300 -> 512x256; output pixel (y, x) is centred on old pixel ((y + 14.5) * 300 / 256, ...)
    old = (np.arange(227) + 142 + 0.5) * 300 / 256 - 0.5
    np.testing.assert_allclose(seen[100, :, 0], old / 3, atol=1)
    old = (np.arange(227) + 14 + 0.5) * 300 / 256 - 0.5
    np.testing.assert_allclose(seen[:, 100, 1], old / 2, atol=1)


def test_what_need_not_be_scaled_is_cut_out():
    """On both axes, and on one beside another that is averaged."""
    noise = np.random.default_rng(0).integers(0, 256, (256, 454, 3), np.uint8)
    seen = alexnet.photograph(noise[:, :300])
    np.testing.assert_array_equal(seen, noise[14:241, 36:263])
    assert not np.shares_memory(seen, noise)
    pairs = noise[:227].reshape(227, 227, 2, 3).astype(int).sum(axis=2)
    np.testing.assert_array_equal(pictures.squeeze(noise[:227]), (pairs + 1) // 2)


def test_photograph_of_other_sizes():
    """Small ones grow, one of the network's size is taken as it is, a ribbon is refused."""
    ready = noise(227, 227, 3)
    assert alexnet.photograph(ready) is ready
    flat = np.full((40, 90, 3), 77, np.uint8)
    np.testing.assert_array_equal(alexnet.photograph(flat), np.full((227, 227, 3), 77))
    with pytest.raises(LabError, match="ten times as long as wide; received 1101x100 pixels; crop"):
        alexnet.photograph(np.zeros((100, 1101, 3), np.uint8))


def test_squeeze_keeps_the_edges():
    """All of the picture, each side by its own factor."""
    across, down = np.meshgrid(np.arange(454), np.arange(681))
    picture = np.stack([across // 2, down // 3, 0 * down], axis=-1).astype(np.uint8)
    expected = np.stack([*np.meshgrid(np.arange(227), np.arange(227)), np.zeros((227, 227))], -1)
    np.testing.assert_array_equal(pictures.squeeze(picture), expected)
    with pytest.raises(LabError, match="ten times as long as wide; received 1101x100 pixels; crop"):
        pictures.squeeze(np.zeros((100, 1101, 3), np.uint8))


def test_every_crop_has_its_side():
    """What the table says is what comes out."""
    for crop in pictures.CROPS.values():
        assert crop.function(noise(50, 60, 3)).shape == (crop.side, crop.side, 3)
    assert alexnet.photograph is pictures.photograph
    assert alexnet.SIZE == pictures.SIZE == 227


def test_a_ribbon_takes_no_memory():
    """A million pixels across and one down, as a sign: its thin side is not enlarged first."""
    import tracemalloc

    picture = np.zeros((1, 1_000_000, 3), np.uint8)
    picture[:, 500_000:] = 200
    tracemalloc.start()
    sign = pictures.to_sign(picture)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(sign[:, :16], 0)
    np.testing.assert_array_equal(sign[:, 16:], 200)
    assert most < 100e6


def test_centred():
    """The old lab takes each picture's one mean off; the network of Caffe takes its own."""
    images = [np.full((4, 4, 3), 10, np.uint8), np.full((4, 4, 3), 20, np.uint8)]
    images[0][0, 0] = 26
    batch = alexnet.centred(images, "caffe")
    assert batch.dtype == np.float32
    np.testing.assert_array_equal(batch, images)
    batch = alexnet.centred(images, "lab")
    assert batch[0, 0, 0].tolist() == [15, 15, 15]
    assert not batch[1].any()


def test_the_labs_pictures(lab_data):
    """poodle.png and weasel.png are opaque RGBA: their first three channels are what is read."""
    for name in ("poodle.png", "weasel.png"):
        with Image.open(lab_data / "lab" / name) as image:
            assert image.mode == "RGBA"
            expected = np.array(image)[..., :3]
        np.testing.assert_array_equal(pictures.read(lab_data / "lab" / name), expected)


def test_pillow_does_not_speak_for_itself():
    """Of some TIFFs it logs what is odd, beside the one line that says why they are refused."""
    code = "import logging, lab.pictures; logging.getLogger('PIL.TiffImagePlugin').error('odd')"
    done = subprocess.run([sys.executable, "-c", code], cwd=files.ROOT, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
