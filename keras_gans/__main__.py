"""`python -m keras_gans`: the command line."""

from keras_gans_cli import app

app.run()
