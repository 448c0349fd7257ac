"""One table: what each name trains, on what, and for how long."""

from collections.abc import Callable
import dataclasses

from keras_gans import losses
from keras_gans import run_data
from keras_gans.checks import within
from keras_gans.models.acgan import ACGAN
from keras_gans.models.conditional_gan import ConditionalGAN
from keras_gans.models.cyclegan import CycleGAN
from keras_gans.models.dcgan import DCGAN
from keras_gans.models.gan import GAN
from keras_gans.models.infogan import InfoGAN
from keras_gans.models.pix2pix import Pix2Pix
from keras_gans.models.wgan import WGAN
from keras_gans.models.wgan_gp import WGANGP
from keras_gans.names import hint
from keras_gans.optimizers import adam


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a GAN is trained by its name.

    Args:
        model: subclass of `BaseGAN`.
        summary: str, one line, with the paper.
        data: str, a source that `load` takes.
        epochs: int.
        batch_size: int.
        arguments: dict, constructor arguments of the model.
        optimizers: function that returns `(d_optimizer, g_optimizer)`; `None`
            takes the paper's.
        load: function of the GAN, a source and other arguments of its loader
            that returns what it trains on: `run_data.images`, `pairs`,
            `unpaired`, or that of an application.
        data_options: dict, arguments of the loader that a run may change
            beside those of all runs, and `flip` where it is not False.
    """

    model: type
    summary: str
    data: str = "emoji"
    epochs: int = 50
    batch_size: int = 64
    arguments: dict = dataclasses.field(default_factory=dict)
    optimizers: Callable | None = None
    load: Callable = run_data.images
    data_options: dict = dataclasses.field(default_factory=dict)

    def with_arguments(self, given):
        """The recipe's constructor arguments, changed by those `given`."""
        arguments = {**self.arguments, **given}
        objective = losses.get(arguments.get("objective", "non_saturating"))
        if not objective.smoothable and "label_smoothing" not in given:
            arguments.pop("label_smoothing", None)
        return arguments

    def compile(
        self,
        gan,
        d_learning_rate=None,
        g_learning_rate=None,
        global_clipnorm=None,
        **options,
    ):
        """Compiles `gan` with the recipe's optimizers, changed as told.

        Args:
            gan: `BaseGAN`.
            d_learning_rate: float, or `None` for the recipe's.
            g_learning_rate: float, or `None` for the recipe's.
            global_clipnorm: float, or `None` to clip nothing.
            **options: other arguments of `compile`.
        """
        ok = global_clipnorm is None or global_clipnorm > 0
        within("global_clipnorm", global_clipnorm, ok, "(0, inf)")
        make = self.optimizers or gan.default_optimizers
        rates = (d_learning_rate, g_learning_rate)
        optimizers = make()
        for optimizer, rate in zip(optimizers, rates, strict=True):
            if rate is not None:
                optimizer.learning_rate = rate
            optimizer.global_clipnorm = global_clipnorm
        gan.compile(*optimizers, **options)


def _two_adams():
    return adam(), adam()


_SMALL_DCGAN = {"width": 32, "ema": 0.995, "label_smoothing": 0.1}

# The papers' 30 of 256 pixels, whatever the size.
_JITTER = {"jitter": 30 / 256, "flip": True}

# Sizes and lengths are those that the embedded set needs to show its shapes in
# minutes on two cores; the networks' own defaults are the papers'.
RECIPES = {
    "gan": Recipe(
        GAN,
        "The multilayer perceptrons of 2014, arXiv:1406.2661",
        arguments={"image_shape": (32, 32, 3), "ema": 0.99},
        optimizers=_two_adams,
    ),
    "dcgan": Recipe(
        DCGAN,
        "Deep convolutional GAN, arXiv:1511.06434",
        arguments={"image_shape": (32, 32, 3), **_SMALL_DCGAN},
        batch_size=32,
        epochs=50,
    ),
    "wgan": Recipe(
        WGAN,
        "Wasserstein GAN with weight clipping, arXiv:1701.07875",
        arguments={"image_shape": (32, 32, 3), "width": 32, "ema": 0.995},
        batch_size=32,
        epochs=100,
    ),
    "wgan_gp": Recipe(
        WGANGP,
        "Wasserstein GAN with gradient penalty, arXiv:1704.00028",
        arguments={
            "image_shape": (32, 32, 3),
            "g_width": 64,
            "d_width": 64,
            "ema": 0.995,
        },
        batch_size=32,
        epochs=50,
    ),
    "conditional_gan": Recipe(
        ConditionalGAN,
        "Class labels in both networks, arXiv:1411.1784",
        arguments={
            "image_shape": (32, 32, 3),
            "num_classes": 9,
            **_SMALL_DCGAN,
        },
        batch_size=32,
        epochs=50,
    ),
    "acgan": Recipe(
        ACGAN,
        "A discriminator that also tells the class, arXiv:1610.09585",
        arguments={
            "image_shape": (32, 32, 3),
            "num_classes": 9,
            **_SMALL_DCGAN,
            "spectral_norm": True,
        },
        batch_size=32,
        epochs=50,
    ),
    "infogan": Recipe(
        InfoGAN,
        "Codes learned without labels, arXiv:1606.03657",
        arguments={"image_shape": (32, 32, 3), **_SMALL_DCGAN},
        batch_size=32,
        epochs=50,
    ),
    "pix2pix": Recipe(
        Pix2Pix,
        "Images to images from pairs of them, arXiv:1611.07004",
        data="emoji:line-3d",
        arguments={"image_shape": (64, 64, 3), "width": 32},
        batch_size=1,
        epochs=20,
        load=run_data.pairs,
        data_options={"direction": "ab", **_JITTER},
    ),
    "cyclegan": Recipe(
        CycleGAN,
        "Images to images without pairs, arXiv:1703.10593",
        data="emoji:flat-3d",
        arguments={"image_shape": (64, 64, 3), "width": 32, "blocks": 6},
        batch_size=1,
        epochs=20,
        load=run_data.unpaired,
        data_options=_JITTER,
    ),
    "colorization": Recipe(
        Pix2Pix,
        "Colours of grey images, by Pix2Pix from L to ab of CIE Lab",
        arguments={
            "image_shape": (64, 64, 2),
            "source_channels": 1,
            "width": 32,
        },
        batch_size=1,
        epochs=20,
        load=run_data.colorization,
    ),
    "inpainting": Recipe(
        Pix2Pix,
        "Holes filled, by Pix2Pix from image and mask",
        arguments={
            "image_shape": (64, 64, 3),
            "source_channels": 4,
            "width": 32,
        },
        batch_size=1,
        epochs=20,
        load=run_data.inpainting,
        data_options={"kind": "mixed", "share": (0.1, 0.4)},
    ),
}


def get(name):
    """Returns the recipe of a name.

    Raises:
        ValueError: there is none; the nearest names are given.
    """
    if name not in RECIPES:
        raise ValueError(
            f"Unknown recipe. Received: {name!r}. Expected one of "
            f"{', '.join(RECIPES)}.{hint(name, RECIPES)}"
        )
    return RECIPES[name]
