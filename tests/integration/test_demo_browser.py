"""The demo's page in a browser: Debian's chromium, driven by Playwright."""

import contextlib
import io
import shutil
import subprocess
import sys
import time

import numpy as np
from paths import ROOT
from PIL import Image
import pytest
from small import (
    small_image_to_volume,
    small_mocogan,
    small_tts,
    small_voxel_gan,
    small_wavegan,
)

import keras_gans as kg
from keras_gans.serving.demo import Demo

CHROMIUM = shutil.which("chromium")
DESK = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        flags = ["--no-sandbox", "--use-fake-ui-for-media-stream"]
        flags.append("--use-fake-device-for-media-stream")
        with contextlib.closing(
            driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        ) as chromium:
            yield chromium


@pytest.fixture(scope="module")
def shown():
    with Demo() as demo:
        yield demo


@pytest.fixture(scope="module")
def others():
    """A demo of what is no picture."""
    makers = (small_wavegan, small_tts, small_voxel_gan, small_mocogan)
    with Demo(*(make() for make in makers), small_image_to_volume()) as demo:
        yield demo


@pytest.fixture
def page(browser):
    """A page that fails the test by any error in its console."""
    with contextlib.closing(browser.new_page(permissions=["camera"])) as page:
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda m: m.type == "error" and errors.append(m.text))
        page.errors = errors
        yield page
        assert [e for e in errors if "status of 4" not in e] == []


def open_tab(page, shown, name):
    page.goto(shown.url)
    page.get_by_role("tab", name=name).click()
    page.get_by_role("heading", name=name, level=1).wait_for()


def source(page, part):
    return page.locator(f'[data-part="{part}"]').get_attribute("src")


def changed(page, part, before):
    """Waits until a picture is another; returns its address."""
    page.wait_for_function(
        "([part, before]) => {"
        " const src = document.querySelector(`[data-part='${part}']`)"
        ".getAttribute('src'); return src && src !== before; }",
        arg=[part, before],
    )
    return source(page, part)


def test_samples_walks_and_files(page, shown, tmp_path):
    open_tab(page, shown, "emoji")
    tiles = page.locator(".tile")
    tiles.nth(23).wait_for()
    assert tiles.count() == 24
    first = tiles.nth(0).locator("img").get_attribute("src")
    page.get_by_label("First seed").fill("48")
    page.get_by_label("First seed").press("Enter")
    page.get_by_role("button", name="Sample of seed 48").wait_for()
    assert tiles.nth(0).locator("img").get_attribute("src") != first
    # By keys alone: a picture, a second one, the walk.
    tiles.nth(2).focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Sample of seed 57").press("Space")
    page.get_by_text("From seed 50 to seed 57 and back").wait_for()
    page.get_by_text("Nearest by pixels, of 1,570 training pictures.").wait_for()
    assert "% real" in page.locator('[data-part="score"]').inner_text()
    scrub = page.get_by_label("Place of the walk")
    page.wait_for_function(
        "() => !document.querySelector('[data-part=scrub]').disabled"
    )
    assert page.get_by_role("button", name="Pause").is_visible()
    page.get_by_role("button", name="Pause").click()
    scrub.press("Home")
    assert scrub.input_value() == "0"
    for name in ("gif", "mp4"):
        with page.expect_download() as waiting:
            page.get_by_role("link", name=name.upper()).click()
        waiting.value.save_as(tmp_path / f"walk.{name}")
        assert waiting.value.suggested_filename == f"walk-50-57.{name}"
    with Image.open(tmp_path / "walk.gif") as image:
        assert image.n_frames == 48


def test_drawings_are_translated_while_one_draws(page, shown):
    open_tab(page, shown, "lines to 3d")
    before = changed(page, "result", None)  # the example that it begins with
    canvas = page.get_by_label("Canvas to draw on")
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y - 90)
    page.mouse.down()
    during = changed(page, "result", before)
    for angle in np.linspace(0, 2 * np.pi, 24):
        page.mouse.move(x + 90 * np.sin(angle), y - 90 * np.cos(angle))
    during = changed(page, "result", during)  # the pen is still down
    page.mouse.up()
    # By keys: the space bar puts the pen down.
    canvas.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    changed(page, "result", during)
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("Draw here, or drop a picture").wait_for()
    compare = page.get_by_label("How much of your picture")
    compare.focus()
    compare.press("End")
    style = page.locator('[data-part="result"]').get_attribute("style")
    assert "inset(0px 0px 0px 100%)" in style


def test_files_and_the_camera(page, shown, tmp_path):
    Image.new("RGB", (90, 60), "tomato").save(tmp_path / "red.jpg")
    (tmp_path / "notes.txt").write_text("no picture")
    open_tab(page, shown, "flat to 3d")
    before = changed(page, "result", None)
    page.get_by_label("Picture file").set_input_files(tmp_path / "red.jpg")
    before = changed(page, "result", before)
    page.get_by_label("Picture file").set_input_files(tmp_path / "notes.txt")
    page.get_by_role("alert").get_by_text("no picture that your browser").wait_for()
    # Dropped: what a browser would hand over.
    drop = page.evaluate_handle(
        "async () => { const c = new OffscreenCanvas(9, 9); c.getContext('2d');"
        " const data = new DataTransfer(); data.items.add(new File("
        "[await c.convertToBlob()], 'x.png', {type: 'image/png'})); return data; }"
    )
    page.dispatch_event('[data-part="studio"]', "drop", {"dataTransfer": drop})
    before = changed(page, "result", before)
    page.get_by_role("button", name="Camera").click()
    before = changed(page, "result", before)
    changed(page, "result", before)  # and again, as it moves
    page.get_by_role("button", name="Camera").click()
    page.get_by_role("button", name="3d → flat").click()
    page.get_by_label("Example 3").click()


def test_photos_are_shown_before_and_after(page, tmp_path):
    rng = np.random.default_rng(0)
    photo = Image.fromarray(rng.integers(0, 256, (9, 12, 3), "uint8"))
    photo.resize((200, 150)).save(tmp_path / "photo.png")
    gan = kg.SRGAN(
        (32, 32, 3), blocks=1, width=4, d_width=2, dense=2, perceptual_weight=0.0
    )
    with Demo(gan) as demo:
        page.goto(demo.url)
        title = "Before and after, 4 times as large"
        page.get_by_role("heading", name=title).wait_for()
        assert not page.get_by_role("button", name="Pen", exact=True).is_visible()
        before = changed(page, "result", None)
        page.get_by_label("Picture file").set_input_files(tmp_path / "photo.png")
        changed(page, "result", before)
        # The slider stands in the middle, and follows the pointer on the picture.
        compare = page.get_by_label("How much of your picture")
        assert compare.input_value() == "50"
        box = page.locator('[data-part="result-paper"]').bounding_box()
        page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 9)
        assert compare.input_value() == "25"
        style = page.locator('[data-part="result"]').get_attribute("style")
        assert "25%)" in style
        size = page.evaluate(
            "() => [document.querySelector('[data-part=result]').naturalWidth,"
            " document.querySelector('[data-part=before]').naturalWidth]"
        )
        assert size == [512, 128]


# Counts what is heard, as `heard`.
HEARD = """window.heard = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (...given) {
  heard.push([this.buffer.length, this.buffer.sampleRate]);
  return start.apply(this, given);
};"""


def test_sounds_are_played_from_keys(page, tmp_path):
    page.add_init_script(HEARD)
    gan = small_wavegan(num_classes=2)
    with Demo(gan) as demo:
        page.goto(demo.url)
        pad = page.get_by_role("button", name="Sound of seed 5, key W")
        pad.wait_for()
        page.keyboard.press("w")
        page.wait_for_function("() => heard.length === 1")
        assert page.evaluate("heard[0]") == [256, 8000]
        assert pad.get_attribute("aria-pressed") == "true"
        pad.focus()
        page.keyboard.press("Enter")
        page.wait_for_function("() => heard.length === 2")
        # A pointer is heard as it comes down, and once.
        page.get_by_role("button", name="Sound of seed 15, key V").click()
        page.get_by_text("seed 15 · key V").wait_for()
        assert page.evaluate("heard.length") == 3
        # What is typed is not played, and shortcuts of the browser are not.
        page.get_by_label("First seed").fill("3")
        page.get_by_label("First seed").press("2")
        page.get_by_label("First seed").press("Enter")
        page.get_by_role("button", name="Sound of seed 32, key 1").wait_for()
        pad = page.get_by_role("button", name="Sound of seed 36, key Q")
        pad.press("Control+q")
        assert page.evaluate("heard.length") == 3
        image = pad.locator("img")
        before = image.get_attribute("src")
        page.get_by_label("Class").select_option("class 1")
        page.wait_for_function(
            "before => !document.querySelectorAll('.pad img')[4].src.endsWith(before)",
            arg=before,
        )
        assert image.is_visible() and not pad.locator("svg").is_visible()
        page.get_by_role("button", name="Waveform").click()
        assert pad.locator("svg").is_visible() and not image.is_visible()
        pad.click()
        with page.expect_download() as waiting:
            page.get_by_role("link", name="Save as WAV").click()
        waiting.value.save_as(tmp_path / "a.wav")
        assert waiting.value.suggested_filename == "seed-36.wav"
        sound = gan.modality.read(tmp_path / "a.wav")
        (want,) = next(gan.seed_batches([36], labels=1))
        assert np.abs(sound - want).max() <= 1e-3  # of 16 bits, in a larger batch


def test_a_text_is_spoken(page, tmp_path):
    gan = small_tts()
    with Demo(gan) as demo:
        page.goto(demo.url)
        box = page.get_by_label("Text")
        box.fill("")
        box.press("Enter")
        page.get_by_role("alert").get_by_text("nothing to say").wait_for()
        own = page.get_by_label("Words and their phonemes")
        page.get_by_text("How words sound that the dictionary lacks").click()
        own.fill("seven = S EH V AH N, three = TH R IY")
        box.fill("seven, three")
        box.press("Enter")
        page.get_by_role("heading", name="seven, three").wait_for()
        assert not page.get_by_text("nothing to say").is_visible()
        page.wait_for_function("() => document.querySelector('audio').duration > 0")
        long = page.evaluate("document.querySelector('audio').duration")
        page.get_by_label("Speed").press("End")
        assert page.get_by_text("2.00").is_visible()
        page.get_by_label("Pause").press("End")
        box.press("Enter")
        page.wait_for_function(
            "long => document.querySelector('audio').duration !== long", arg=long
        )
        with page.expect_download() as waiting:
            page.get_by_role("link", name="Save as WAV").click()
        waiting.value.save_as(tmp_path / "said.wav")
        said = kg.Waveform(None, 1, 8000).read(tmp_path / "said.wav")
        seconds = page.evaluate("document.querySelector('audio').duration")
        assert len(said) == pytest.approx(8000 * seconds, abs=8)


def test_a_text_is_not_heard_on_another_tab(page):
    page.add_init_script(
        "window.plays = 0;"
        "HTMLMediaElement.prototype.play = async function () { plays += 1; };"
    )
    held = []
    page.route("**/speech?*", lambda route: held.append(route))
    with Demo(small_tts(), small_wavegan()) as demo:
        open_tab(page, demo, "TextToSpeech")
        page.get_by_text("How words sound that the dictionary lacks").click()
        page.get_by_label("Words and their phonemes").fill("seven = S EH V AH N")
        page.get_by_label("Text").fill("seven")
        with page.expect_request("**/speech?*"):
            page.get_by_label("Text").press("Enter")
        page.get_by_role("tab", name="WaveGAN").click()
        page.get_by_role("button", name="Sound of seed 0").wait_for()
        with page.expect_response("**/speech?*") as waiting:
            held[0].continue_()
        waiting.value.finished()
        page.wait_for_timeout(200)
        assert waiting.value.ok and page.evaluate("plays") == 0


def drawn(page):
    """The viewer's picture, once it stands still, within the ring of its focus."""
    page.wait_for_timeout(400)
    box = page.get_by_label("to be turned").bounding_box()
    x, y, side = (round(box[name]) for name in ("x", "y", "width"))
    inner = {"x": x + 12, "y": y + 12, "width": side - 24, "height": side - 24}
    return page.screenshot(clip=inner)


def test_solids_turn(page, tmp_path):
    page.emulate_media(reduced_motion="reduce")
    gan = small_voxel_gan()
    with Demo(gan) as demo:
        page.goto(demo.url)
        page.get_by_role("button", name="Solid of seed 11").wait_for()
        page.get_by_text("Solid of seed 0, ").wait_for()
        first = drawn(page)
        assert len(np.unique(np.asarray(Image.open(io.BytesIO(first))))) > 50
        canvas = page.get_by_label("to be turned")
        canvas.focus()
        seen = [first]
        for key in ("ArrowLeft", "ArrowDown", "+"):
            page.keyboard.press(key)
            seen.append(drawn(page))
        box = canvas.bounding_box()
        page.mouse.move(box["x"] + 150, box["y"] + 150)
        page.mouse.down()
        page.mouse.move(box["x"] + 210, box["y"] + 150)
        page.mouse.up()
        seen.append(drawn(page))
        assert len(set(seen)) == 5
        page.get_by_role("button", name="Reset the view").click()
        assert drawn(page) == first
        turning = page.get_by_role("button", name="Turn by itself")
        turning.click()
        assert turning.get_attribute("aria-pressed") == "true" and drawn(page) != first
        page.get_by_role("button", name="Solid of seed 3", exact=True).click()
        page.get_by_text("Solid of seed 3, ").wait_for()
        for name in ("GLB", "OBJ", "STL", "NPZ"):
            with page.expect_download() as waiting:
                page.get_by_role("link", name=name).click()
            assert waiting.value.suggested_filename == f"seed-3.{name.lower()}"
        waiting.value.save_as(tmp_path / "a.npz")
        assert gan.modality.read(tmp_path / "a.npz").shape == (8, 8, 8, 1)


def test_a_solid_without_a_mesh_is_shown_as_it_is(page, monkeypatch):
    def none(self, sample, smoothing=4):
        raise ValueError("Nothing is solid. Write the volume as .npz.")

    monkeypatch.setattr(kg.Volume, "mesh", none)
    with Demo(small_voxel_gan()) as demo:
        page.goto(demo.url)
        page.get_by_role("alert").get_by_text("Nothing is solid").wait_for()
        assert page.get_by_role("img", name="Solid of seed 0").is_visible()
        assert not page.get_by_label("to be turned").is_visible()


def test_a_picture_becomes_a_solid(page, tmp_path):
    from keras_gans.data import furniture, render_volumes

    pixels = render_volumes(furniture().volumes[:1], 8)[0]
    (tmp_path / "chair.png").write_bytes(kg.Image((8, 8, 1)).encode(pixels))
    with Demo(small_image_to_volume()) as demo:
        page.goto(demo.url)
        page.get_by_text("Drop a picture here").wait_for()
        page.get_by_label("Picture file").set_input_files(tmp_path / "chair.png")
        page.get_by_text("Solid of the picture, ").wait_for()
        assert page.get_by_role("img", name="The picture that").is_visible()
        for name in ("GLB", "NPZ"):
            with page.expect_download() as waiting:
                page.get_by_role("link", name=name).click()
            assert waiting.value.suggested_filename == f"solid.{name.lower()}"
        page.get_by_label("Picture file").set_input_files(
            {"name": "a.png", "mimeType": "image/png", "buffer": b"words"}
        )
        page.get_by_role("alert").get_by_text("cannot be read").wait_for()
    page.errors.clear()  # of the answer that refuses


def test_clips_play_and_stop(page):
    with Demo(small_mocogan()) as demo:
        page.goto(demo.url)
        page.get_by_role("button", name="Clip of seed 11").wait_for()
        image = page.locator("img.sample")
        assert image.get_attribute("src").startswith("data:image/webp")
        page.get_by_role("button", name="Pause").click()
        assert image.get_attribute("src").startswith("data:image/png")
        page.get_by_role("button", name="Clip of seed 4").click()
        with page.expect_download() as waiting:
            page.get_by_role("link", name="GIF").click()
        assert waiting.value.suggested_filename == "seed-4.gif"


def test_a_server_that_is_gone_is_told(page):
    with Demo(kg.DCGAN((16, 16, 1), width=2)) as demo:
        page.goto(demo.url)
        page.locator(".tile").nth(23).wait_for()
    page.get_by_role("button", name="Shuffle").click()
    page.get_by_role("alert").get_by_text("still running").wait_for()
    page.errors.clear()


def test_a_training_is_seen_live(page, tmp_path):
    folder = tmp_path / "<i>live"
    words = ["train", "dcgan", f"--run_dir={folder}", "--image_shape=16,16,3"]
    words += ["--width=2", "--batch_size=4", "--steps=100000", "--log_every=10"]
    words += ["--sample_every=20", "--checkpoint_every=40"]
    training = subprocess.Popen(
        [sys.executable, "-m", "keras_gans", *words],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for(folder / "config.json")
        with Demo(folder) as demo:
            page.goto(demo.url)
            page.get_by_role("heading", name="<i>live").wait_for()
            page.get_by_text("training: step").wait_for(timeout=90_000)
            page.get_by_role("img", name="Losses, from step").wait_for(timeout=90_000)
            before = changed(page, "newest", None)
            changed(page, "newest", before)
            page.locator(".tile").nth(23).wait_for(timeout=90_000)
            old = page.locator(".tile img").first.get_attribute("src")
            page.wait_for_function(
                "old => document.querySelector('.tile img').src !== old",
                arg=old,
                timeout=90_000,
            )
            training.terminate()
            training.wait(60)
            page.get_by_text("not training: step").wait_for(timeout=30_000)
    finally:
        training.kill()
        training.wait()


def wait_for(path, seconds=120):
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} does not come"
        time.sleep(0.2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [None, PHONE], ids=["desk", "phone"])
def test_nothing_is_cut_off_or_unnamed(browser, shown, scheme, size):
    options = {"color_scheme": scheme, "viewport": size or DESK}
    with contextlib.closing(browser.new_page(**options)) as page:
        for name in ("emoji", "lines to 3d", "flat to 3d"):
            open_tab(page, shown, name)
            page.wait_for_load_state("networkidle")
            check_layout(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [None, PHONE], ids=["desk", "phone"])
def test_nothing_is_cut_off_of_other_kinds(browser, others, scheme, size):
    options = {"color_scheme": scheme, "viewport": size or DESK}
    with contextlib.closing(browser.new_page(**options)) as page:
        for name in ("WaveGAN", "TextToSpeech", "VoxelGAN", "MoCoGAN", "ImageToVolume"):
            open_tab(page, others, name)
            page.wait_for_load_state("networkidle")
            if name == "TextToSpeech":
                page.get_by_text("How words sound").click()
                page.get_by_label("Words and their").fill("seven = S EH V AH N")
                page.get_by_label("Text").fill("seven")
                page.get_by_label("Text").press("Enter")
                page.get_by_role("heading", name="seven").wait_for()
            check_layout(page)


def check_layout(page):
    """No page is wider than the window, and all that is used has a name."""
    wide = "document.documentElement.scrollWidth - innerWidth"
    assert page.evaluate(wide) <= 0
    assert page.evaluate(UNNAMED) == []
    assert page.evaluate(CONTRAST) == []


# Controls without a name that is read out.
UNNAMED = """() => [...document.querySelectorAll('button, a, input, select, canvas')]
  .filter((node) => node.offsetParent && !(node.getAttribute('aria-label')
    || node.textContent.trim() || node.labels?.length || node.title))
  .map((node) => node.outerHTML)"""

# Texts whose contrast with the plain colour behind them is below 4.5 (WCAG AA).
CONTRAST = """() => {
  const parse = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = (c) => c.slice(0, 3).map((x) => x / 255)
    .map((x) => (x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4))
    .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const c = parse(getComputedStyle(node).backgroundColor);
      if (c.length < 4 || c[3] > 0.5) return c;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('p, h1, h2, button, label, figcaption, a')]
    .filter((node) => node.offsetParent && node.textContent.trim() && !node.disabled
      && !node.matches('.tile'))
    .map((node) => {
      const [a, b] = [parse(getComputedStyle(node).color), behind(node)].map(light);
      return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), node.outerHTML];
    })
    .filter(([ratio]) => ratio < 4.5);
}"""
