"""The command line: `keras-gans list`, `--help` and one file a command.

It stands beside `keras_gans`, not in it: importing any module of that package
imports Keras and its backend, which takes seconds. What help and lists need is
read from its files as text; a command imports it when it runs.
"""
