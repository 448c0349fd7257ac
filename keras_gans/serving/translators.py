"""A translating GAN as a SavedModel that needs neither Keras nor keras_gans."""

from keras_gans.serving.export import check_target
from keras_gans.serving.export import write
from keras_gans.translating import KEY


def export_translator(gan, filepath, overwrite=False):
    """Writes the generators of a GAN that translates as a SavedModel.

    Signatures, for any number n of images:

    - `serving_default(images: float32 [n, height, width, channels]) ->
      {"images"}`: as `gan.translate(images)`, in the reference's test mode;
    - `evaluate`: the same as `gan.translate(images, evaluation=True)`, all
      images at once;
    - of a GAN with two directions also `ba` and `evaluate_ba`.

    Images are in [-1, 1], of any height and width where the generator takes
    any.

    Args:
        gan: `Pix2Pix` or `CycleGAN`, on the TensorFlow backend.
        filepath: str or path of the directory to make. TF Serving wants a
            version number as its last part, e.g. "pix2pix/1".
        overwrite: bool, whether to replace what stands there.

    Raises:
        ValueError: `filepath` exists, or the backend is not TensorFlow.

    Example:

    ```python
    gan = keras_gans.Pix2Pix((32, 32, 3), width=4, depth=3, n_layers=1)
    gan.export("exported/pix2pix/1", overwrite=True)
    served = tf.saved_model.load("exported/pix2pix/1")
    x = np.zeros((2, 32, 32, 3), "float32")
    images = served.serving_default(x)["images"]
    ```
    """
    import tensorflow as tf

    check_target(filepath, overwrite)

    def test(direction):
        def one(image_and_row):
            image, row = image_and_row
            key = tf.reshape(tf.stack([0, row]), (1, 2))
            return gan({direction: image[None], KEY: key})[0]

        def each(images):
            made = tf.map_fn(
                one,
                (images, tf.range(tf.shape(images)[0])),
                fn_output_signature=tf.float32,
            )
            return {"images": made}

        return each

    def evaluate(direction):
        return lambda images: {"images": gan({direction: images})}

    endpoints = {}
    for direction in gan.directions:
        first = direction == gan.directions[0]
        network = gan.translator(gan.sampling_generator, direction)
        specs = [tf.TensorSpec(network.input_shape, tf.float32, name="images")]
        name = "serving_default" if first else direction
        endpoints[name] = (test(direction), specs)
        name = "evaluate" if first else f"evaluate_{direction}"
        endpoints[name] = (evaluate(direction), specs)
    write(filepath, [gan.generator, gan.sampling_generator], endpoints)
