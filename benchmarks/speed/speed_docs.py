"""The tables of docs/performance.md, of rows of speed.py and input_rate.py."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import pages

PAGE = "performance.md"
NAMES = {
    "dcgan": "DCGAN",
    "wgan_gp": "WGAN-GP",
    "conditional": "conditional GAN",
    "pix2pix": "Pix2Pix",
    "cyclegan": "CycleGAN",
    "r3gan": "R3GAN",
    "stylegan2": "StyleGAN2",
    "biggan": "BigGAN",
    "sngan": "SNGAN",
    "srgan": "SRGAN",
    "hifigan": "HiFi-GAN",
    "hifigan_scales": "HiFi-GAN with scales",
    "wavegan": "WaveGAN",
    "voxel_gan": "VoxelGAN",
    "ctgan": "CTGAN",
}
# What a sample is, where it is no image.
SIZES = {
    "hifigan": "{} samples",
    "wavegan": "{} samples",
    "voxel_gan": "{0}x{0}x{0}",
    "ctgan": "{} numbers",
}


def write(rows):
    """Writes the tables of speed.py."""
    tables = {
        "speed_training": rates_table(rows, "training"),
        "speed_inference": rates_table(rows, "inference"),
        "speed_shares": shares_table(rows),
        "speed_memory": memory_table(rows),
        "speed_setup": setup_of(rows),
    }
    pages.put(PAGE, tables)


def table_of(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def label_of(settings):
    size = SIZES.get(settings.get("recipe"), "{0}x{0}").format(settings["size"])
    label = f"{NAMES[settings['model']]} {size}, "
    label += f"width {settings['width']}, batch {settings['batch']}"
    more = [f"{k}={v}" for k, v in settings["env"].items()]
    return ", ".join([label, *more])


def processor_of(row):
    """What decides which implementations win."""
    if "gpu" in row["machine"]:
        return row["machine"]["gpu"]
    return "AVX-512" if "avx512f" in row["machine"]["flags"] else "AVX2"


def number(value):
    """Three digits, or all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def cells_of(values, shown):
    """Ours, PyTorch's, and plain Keras's or our own in another way."""
    names = "ours", "torch", "keras"
    cells = [shown(values[name]) if name in values else "-" for name in names]
    for name in "off", "jax":
        if name in values:
            cells[-1] = f"{shown(values[name])} ({name})"
    return cells


def rates_table(rows, use):
    """Images a second of training or inference, and the ratios.

    Args:
        rows: list of dicts, of speed.py.
        use: "training" or "inference".
    """
    header = ["", "processor", "type", "ours", "PyTorch", "plain Keras"]
    header.append("ours / the fastest peer")
    lines = []
    for row in rows:
        rate = row[use]["images_per_second"]
        cells = cells_of(rate, number)
        forms = row["fastest_forms"] or {}
        if "compiled" in forms.get({"training": "train"}.get(use, "infer"), ""):
            cells[1] += " (compiled)"
        ratio = row[use]["ratios"].get("fastest", "-")
        settings = row["settings"]
        label = [label_of(settings), processor_of(row)]
        lines.append([*label, settings["dtype"], *cells, ratio])
    return table_of(header, lines)


def shares_table(rows):
    """Work, and the share of a matrix product's speed that steps reach."""
    header = ["", "type", "GFLOP an image", "matrix product, GFLOP/s: "]
    header[-1] += "TensorFlow, PyTorch"
    header += ["ours", "PyTorch", "PyTorch's memory layout"]
    lines = []
    for row in rows:
        if "product_gflops" not in row:  # its work is not counted
            continue
        settings, products = row["settings"], row["product_gflops"]
        shares = row["shares_of_own_product"]
        form = (row["fastest_forms"] or {}).get("train", "-")
        cells = [
            f"{100 * shares[name]:.0f} %" if name in shares else "-"
            for name in ("ours", "torch")
        ]
        lines.append(
            [
                label_of(settings),
                settings["dtype"],
                row["gflop_per_image"],
                ", ".join(number(value) for value in products.values()),
                *cells,
                form,
            ]
        )
    return table_of(header, lines)


def memory_table(rows):
    """Peak memory of each process in training, and what it had before."""
    header = ["", "type", "ours, MiB", "PyTorch, MiB", "plain Keras, MiB"]
    lines = []
    for row in rows:
        peaks = {name: f"{mib:,}" for name, mib in row["peak_mib"].items()}
        for name, mib in row.get("built_mib", {}).items():
            peaks[name] += f" (steps: {row['peak_mib'][name] - mib:,})"
        cells = cells_of(peaks, str)
        settings = row["settings"]
        lines.append([label_of(settings), settings["dtype"], *cells])
    return table_of(header, lines)


def _count(n, noun):
    return f"{n} {noun}" + ("" if n == 1 else "s")


def setup_of(rows):
    """How it was measured, in a sentence for each way."""
    lines = []
    for row in rows:
        settings, machine = row["settings"], row["machine"]
        versions = ", ".join(f"{k} {v}" for k, v in row["versions"].items())
        line = (
            f"Medians of {_count(settings['turns'], 'interleaved turn')} of "
            f"{_count(settings['steps'], 'step')}; {machine['cores']} cores, "
            f"{machine['cpu']} ({', '.join(machine['flags'])}); {versions}."
        )
        if machine["load"][0] > machine["cores"]:
            line += f" Other programs ran: the load was {machine['load'][0]:.0f}."
        if line not in lines:
            lines.append(line)
    lines += [
        f"{label_of(row['settings'])}, {row['settings']['dtype']}: {warning}"
        for row in rows
        for warning in row["warnings"]
    ]
    return "\n\n".join(lines)


def input_table(rows):
    """The data pipelines' images a second beside those of training."""
    header = ["data", "model that trains on it", "input, images/s"]
    header += ["training, images/s", "input / training"]
    lines = [
        [
            row["data"],
            row["model"],
            number(row["input_per_second"]),
            number(row["training_per_second"]),
            row["ratio"],
        ]
        for row in rows
    ]
    return table_of(header, lines)


def imports_table(rows):
    """Seconds of fresh interpreters."""
    header = ["", "seconds", "more than `import keras`"]
    lines = [[f"`{r['command']}`", r["seconds"], f"{r['more']:+.2f}"] for r in rows]
    return table_of(header, lines)
