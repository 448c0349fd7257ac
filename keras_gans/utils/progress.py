"""Progress bars that log files can hold."""

import sys

import keras


def progress_bar(
    target: int | None, verbose: int, unit_name: str
) -> keras.utils.Progbar:
    """Keras's progress bar; where the output is no terminal, a line at its end.

    Args:
        target: int, how many there are, or `None`.
        verbose: 0 or 1, whether to show anything.
        unit_name: str, what is counted.
    """
    if verbose and not (sys.stdout and sys.stdout.isatty()):
        verbose = 2
    return keras.utils.Progbar(target, verbose=verbose, unit_name=unit_name)
