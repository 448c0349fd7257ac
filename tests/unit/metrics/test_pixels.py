"""PSNR and SSIM: by their equations, in any range, and of the luma."""

import numpy as np
import pytest

from keras_gans.metrics import psnr, ssim


def pictures(n=3, height=24, width=20, channels=3):
    """Smooth uint8 pictures and noisy copies."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j][..., None]
    phase = rng.uniform(0, 6, (n, 1, 1, channels))
    clean = 128 + 80 * np.sin(5 * x + 3 * y + phase)
    noisy = clean + 9 * rng.normal(size=clean.shape)
    return clean.astype("uint8"), noisy.astype("uint8")


def naive_ssim(x, y):
    """Of one channel of [0, 255], window by window."""
    g = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    w = np.outer(g, g) / g.sum() ** 2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = []
    for i in range(x.shape[0] - 10):
        for j in range(x.shape[1] - 10):
            a, b = x[i : i + 11, j : j + 11], y[i : i + 11, j : j + 11]
            ma, mb = (w * a).sum(), (w * b).sum()
            va, vb = (w * (a - ma) ** 2).sum(), (w * (b - mb) ** 2).sum()
            cov = (w * (a - ma) * (b - mb)).sum()
            values.append(
                (2 * ma * mb + c1)
                * (2 * cov + c2)
                / ((ma**2 + mb**2 + c1) * (va + vb + c2))
            )
    return np.mean(values)


def test_psnr_is_its_equation():
    x, y = pictures()
    mse = np.square(x.astype("f8") - y).mean(axis=(1, 2, 3))
    want = 10 * np.log10(255**2 / mse)
    np.testing.assert_allclose(psnr(x, y, (0, 255)), want, rtol=1e-12)


def test_ssim_is_its_equation():
    x, y = pictures(2)
    want = [
        np.mean([naive_ssim(a[..., c], b[..., c]) for c in range(3)])
        for a, b in zip(x.astype("f8"), y.astype("f8"), strict=True)
    ]
    np.testing.assert_allclose(ssim(x, y, (0, 255)), want, rtol=1e-10)


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_any_range_and_one_image(metric):
    x, y = pictures()
    want = metric(x, y, (0, 255))
    assert want.shape == (3,)
    assert len(set(want)) == 3
    for lo, hi in ((-1.0, 1.0), (0, 1), (2.0, 6.0)):
        a, b = (lo + (z / 255.0) * (hi - lo) for z in (x, y))
        np.testing.assert_allclose(metric(a, b, (lo, hi)), want, rtol=1e-9)
    one = metric(x[1], y[1], (0, 255))
    assert isinstance(one, float)
    assert one == want[1]
    assert metric(x, y, (0, 255)) == pytest.approx(metric(y, x, (0, 255)))


def test_equal_images():
    x, _ = pictures()
    assert (psnr(x, x, (0, 255)) == np.inf).all()
    np.testing.assert_allclose(ssim(x, x, (0, 255)), 1, rtol=1e-12)


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_luma_and_border(metric):
    x, y = pictures()

    def luma(z):  # BT.601, of 255 steps: 16 for black, 235 for white
        r, g, b = np.moveaxis(z / 255.0, -1, 0)
        return (16 + 65.481 * r + 128.553 * g + 24.966 * b)[..., None]

    assert luma(np.full((1, 1, 3), 255)).item() == pytest.approx(235)
    want = metric(luma(x)[:, 3:-3, 3:-3], luma(y)[:, 3:-3, 3:-3], (0, 255))
    got = metric(x, y, (0, 255), y_channel=True, crop_border=3)
    np.testing.assert_allclose(got, want, rtol=1e-12)
    # The range is that of the images, whatever it is.
    a, b = x / 127.5 - 1, y / 127.5 - 1
    got = metric(a, b, (-1, 1), y_channel=True, crop_border=3)
    np.testing.assert_allclose(got, want, rtol=1e-9)


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_more_noise_and_blur_score_lower(metric):
    x, _ = pictures()
    x = x / 255.0
    noise = np.random.default_rng(1).normal(size=x.shape)
    noisy = [np.clip(x + s * noise, 0, 1) for s in (0.02, 0.05, 0.1)]
    blurred = [x]
    for _ in range(3):
        last = blurred[-1]
        blurred.append((last + np.roll(last, 1, 1) + np.roll(last, 1, 2)) / 3)
    for series in (noisy, blurred[1:]):
        values = [metric(z, x, (0, 1)).mean() for z in series]
        assert values[0] > values[1] > values[2]


BYTES = pictures(2)[0]
FLOATS = BYTES / 255.0
NAN = np.where(np.arange(2)[:, None, None, None] == 1, np.nan, FLOATS)


@pytest.mark.parametrize("metric", [psnr, ssim])
@pytest.mark.parametrize(
    ("images", "references", "options", "message"),
    [
        (FLOATS, FLOATS[:, :9], {}, "same shape"),
        (FLOATS[..., 0], FLOATS[..., 0], {}, r"images\[..., None\]"),
        (BYTES, FLOATS, {}, "both be floats or both be ints"),
        (BYTES, BYTES, {}, r"`images` are uint8.*\(0, 1\)"),
        (FLOATS, NAN, {}, "`references`.*image 1"),
        (FLOATS, FLOATS * 2 - 1, {}, "`references`.*lie in.*clip"),
        (FLOATS > 0.5, FLOATS > 0.5, {}, "real numbers"),
        (FLOATS, FLOATS, {"value_range": (1, 0)}, "lo < hi"),
        (FLOATS, FLOATS, {"value_range": 1.0}, "tuple"),
        (FLOATS, FLOATS, {"crop_border": -1}, "`crop_border`"),
        (FLOATS, FLOATS, {"crop_border": 10}, "`crop_border`"),
        (FLOATS[..., :1], FLOATS[..., :1], {"y_channel": True}, "1 channels"),
    ],
)
def test_bad_images_are_met_at_the_door(metric, images, references, options, message):
    with pytest.raises(ValueError, match=message):
        metric(images, references, **{"value_range": (0, 1), **options})


def test_ssim_needs_a_window():
    with pytest.raises(ValueError, match=r"11 x 11.*10 x 6"):
        ssim(FLOATS, FLOATS, (0, 1), crop_border=7)
