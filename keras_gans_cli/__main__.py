"""`python -m keras_gans_cli`: the command line."""

from keras_gans_cli import app

app.run()
