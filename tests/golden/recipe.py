"""Weights that both a reference and a test can make from names alone."""

import zlib

import numpy as np


def fill(name, shape, mode="fan_in"):
    """Draws the float32 weights of the parameter or buffer `name`.

    The draw is PCG64's, seeded with the CRC-32 of the name. Variances are
    uniform in [0.5, 1.5); means and biases are normal with deviation 0.1; gains
    are normal around 1 with deviation 0.1; kernels have deviation
    1 / sqrt(fan in), or 1 in mode "unit", where the mapping network's are 100
    times that.
    """
    generator = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
    leaf = name.split(".")[-1]
    if leaf.endswith(("running_var", "stored_var")):
        return generator.uniform(0.5, 1.5, shape).astype(np.float32)
    draw = generator.standard_normal(tuple(shape))
    if "bias" in leaf or leaf in ("running_mean", "stored_mean"):
        values = 0.1 * draw
    elif leaf == "weight_g" or (len(shape) == 1 and leaf in ("weight", "gain")):
        values = 1 + 0.1 * draw
    elif len(shape) < 2:
        values = 0.1 * draw
    elif mode == "unit":
        values = 100 * draw if "mapping.fc" in name else draw
    else:
        values = draw / np.sqrt(np.prod(shape[1:]))
    return values.astype(np.float32)
