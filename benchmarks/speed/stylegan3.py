"""What StyleGAN3's generators and filters cost beside StyleGAN2's, on one thread.

python benchmarks/speed/stylegan3.py
"""

import time

from keras import ops
import numpy as np
import tensorflow as tf

from keras_gans.engine import kernels
from keras_gans.layers import ModulatedConv2D, filters
from keras_gans.networks.stylegan2 import stylegan2_generator
from keras_gans.networks.stylegan3 import stylegan3_generator

SIZE = {"channel_base": 2048, "channel_max": 128, "mapping_layers": 2}
NETWORKS = {
    "StyleGAN2": lambda: stylegan2_generator((32, 32, 3), 128, 128, **SIZE),
    "StyleGAN3 t": lambda: stylegan3_generator((32, 32, 3), 128, 128, **SIZE),
    "StyleGAN3 r": lambda: stylegan3_generator(
        (32, 32, 3),
        128,
        128,
        kernel_size=1,
        radial=True,
        **{**SIZE, "channel_base": 4096, "channel_max": 256},
    ),
}


def seconds(fn, *inputs):
    """CPU seconds of the best of four calls of a compiled function."""
    fn = tf.function(fn, autograph=False)
    fn(*inputs)
    best = []
    for _ in range(4):
        start = time.process_time()
        fn(*inputs)
        best.append(time.process_time() - start)
    return min(best)


def multiply_adds(network):
    """Of the convolutions of a synthesis, for one image."""
    total = 0
    for layer in network.get_layer("synthesis").layers:
        if isinstance(layer, ModulatedConv2D):
            # A transposed convolution multiplies each pixel that it takes.
            maps = layer.input[0] if layer.upsample else layer.output
            height, width = maps.shape[1:3]
            total += height * width * int(np.prod(layer.kernel.shape))
    return total


def main():
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    for name, make in NETWORKS.items():
        time_network(name, make())
    for radial in (False, True):
        time_filter(filters.low_pass(12, 11.3, 9.4, 64.0, radial))


def time_network(name, network):
    """Prints what it has and what an image costs, in batches of 4."""
    kernels.accelerate(network)
    z, psi = tf.random.normal((4, 128)), tf.ones(4)
    took = seconds(lambda z, psi: network([z, psi]), z, psi)
    print(
        f"{name}: {network.count_params():,} parameters, "
        f"{multiply_adds(network) / 1e9:.2f} G multiply-adds, "
        f"{250 * took:.1f} ms an image"
    )


def time_filter(filter):
    """Prints what half of the size costs in either form."""
    x = tf.random.normal((4, 108, 108, 128))
    parts = filters._separable(filter)
    none = ((0, 0), (0, 0))

    def products(x):
        return filters._by_products(x, parts, (1, 1), (2, 2), none, (49, 49))

    def convolutions(x):
        return filters._thinned_across(x, filter, 2)

    gap = float(ops.max(ops.abs(products(x) - convolutions(x))))
    print(
        f"{'separable' if filter.ndim == 1 else 'radial'}: products "
        f"{1000 * seconds(products, x):.1f} ms, convolutions "
        f"{1000 * seconds(convolutions, x):.1f} ms, {gap:.0e} apart"
    )


if __name__ == "__main__":
    main()
