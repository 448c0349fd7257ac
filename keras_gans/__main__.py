"""`python -m keras_gans`: the command line."""

from keras_gans import cli

cli.run()
