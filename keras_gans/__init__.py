"""keras_gans: generative adversarial networks for Keras 3."""

import importlib
import os
import sys

from keras_gans.utils import startup as _startup

if getattr(sys, "argv", [])[:1] == ["-m"]:  # `python -m keras_gans` is the command
    _startup.prepare(sys.orig_argv)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", _startup.log_level())
try:
    with _startup.quiet_import():
        import keras as _keras  # noqa: F401
except ModuleNotFoundError as error:
    if error.name not in ("jax", "tensorflow", "torch"):
        raise
    raise ImportError(
        f"Keras's backend is {error.name}, which is not installed. keras_gans "
        "trains on TensorFlow, KERAS_BACKEND=tensorflow, and on JAX: pip install "
        "'keras_gans[jax]', KERAS_BACKEND=jax."
    ) from error

from keras_gans import (
    applications,
    augment,
    convert,
    core,
    layers,
    losses,
    metrics,
    modalities,
    models,
    networks,
    training,
)
from keras_gans.augment import ADA
from keras_gans.core.controllers import EMA, Controller, RunningAverage, Schedule
from keras_gans.core.gan import BaseGAN
from keras_gans.core.inputs import (
    Attributes,
    Code,
    Label,
    Latent,
    Mel,
    Past,
    Source,
    Text,
)
from keras_gans.core.optimizers import LinearDecay, lazily_regularized
from keras_gans.core.presets import from_preset, pretrained
from keras_gans.engine.phases import Phase
from keras_gans.inference import latent
from keras_gans.inference.opening import load
from keras_gans.inference.translate import translate_files
from keras_gans.inference.upscale import upscale
from keras_gans.modalities.image import Image
from keras_gans.modalities.points import Points
from keras_gans.modalities.series import Series
from keras_gans.modalities.table import Table
from keras_gans.modalities.tokens import Tokens
from keras_gans.modalities.video import Video
from keras_gans.modalities.volume import Volume
from keras_gans.modalities.waveform import Waveform
from keras_gans.models.acgan import ACGAN
from keras_gans.models.biggan import BigGAN
from keras_gans.models.bigvgan import BigVGAN
from keras_gans.models.conditional_gan import ConditionalGAN
from keras_gans.models.ctgan import CTGAN
from keras_gans.models.cyclegan import CycleGAN
from keras_gans.models.dcgan import DCGAN
from keras_gans.models.dfgan import DFGAN
from keras_gans.models.esrgan import ESRGAN
from keras_gans.models.frame_prediction import FramePrediction
from keras_gans.models.gan import GAN
from keras_gans.models.hifigan import HiFiGAN
from keras_gans.models.image_to_volume import ImageToVolume
from keras_gans.models.infogan import InfoGAN
from keras_gans.models.language_wgan_gp import LanguageWGANGP
from keras_gans.models.mocogan import MoCoGAN
from keras_gans.models.pix2pix import Pix2Pix
from keras_gans.models.r3gan import R3GAN
from keras_gans.models.real_esrgan import RealESRGAN
from keras_gans.models.relgan import RelGAN
from keras_gans.models.sagan import SAGAN
from keras_gans.models.sensor_gan import SensorGAN
from keras_gans.models.sngan import SNGAN
from keras_gans.models.srgan import SRGAN
from keras_gans.models.stackgan import StackGAN
from keras_gans.models.stylegan2 import StyleGAN2
from keras_gans.models.stylegan3 import StyleGAN3
from keras_gans.models.text_to_speech import TextToSpeech
from keras_gans.models.vits import VITS
from keras_gans.models.voxel_gan import VoxelGAN
from keras_gans.models.wavegan import WaveGAN
from keras_gans.models.wgan import WGAN
from keras_gans.models.wgan_gp import WGANGP
from keras_gans.training import callbacks
from keras_gans.version import __version__

__all__ = [
    "ACGAN",
    "ADA",
    "CTGAN",
    "DCGAN",
    "DFGAN",
    "EMA",
    "ESRGAN",
    "GAN",
    "R3GAN",
    "SAGAN",
    "SNGAN",
    "SRGAN",
    "VITS",
    "WGAN",
    "WGANGP",
    "Attributes",
    "BaseGAN",
    "BigGAN",
    "BigVGAN",
    "Code",
    "ConditionalGAN",
    "Controller",
    "CycleGAN",
    "FramePrediction",
    "HiFiGAN",
    "Image",
    "ImageToVolume",
    "InfoGAN",
    "Label",
    "LanguageWGANGP",
    "Latent",
    "LinearDecay",
    "Mel",
    "MoCoGAN",
    "Past",
    "Phase",
    "Pix2Pix",
    "Points",
    "RealESRGAN",
    "RelGAN",
    "RunningAverage",
    "Schedule",
    "SensorGAN",
    "Series",
    "Source",
    "StackGAN",
    "StyleGAN2",
    "StyleGAN3",
    "Table",
    "Text",
    "TextToSpeech",
    "Tokens",
    "Video",
    "Volume",
    "VoxelGAN",
    "WaveGAN",
    "Waveform",
    "__version__",
    "applications",
    "augment",
    "callbacks",
    "convert",
    "core",
    "data",
    "demo",
    "from_preset",
    "latent",
    "layers",
    "lazily_regularized",
    "load",
    "losses",
    "metrics",
    "modalities",
    "models",
    "networks",
    "pretrained",
    "serving",
    "training",
    "translate_files",
    "upscale",
]


def __getattr__(name):
    # Loaded when used: on the JAX backend TensorFlow need not be installed.
    if name in ("data", "serving"):
        return importlib.import_module(f"keras_gans.{name}")
    if name == "demo":
        return importlib.import_module("keras_gans.serving.demo").demo
    raise AttributeError(f"module 'keras_gans' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
