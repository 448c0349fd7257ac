"""The demo: models shown in a browser, of this machine alone unless told otherwise."""

from keras_gans.serving.demo.showing import Demo, demo

__all__ = ["Demo", "demo"]
