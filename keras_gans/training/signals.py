"""Signals that ask a training to end: noted, and obeyed once a step is done."""

import contextlib
import os
import signal
import sys
import threading
from types import FrameType
from typing import Self

# Ctrl-C; what clusters and clouds send; a terminal that closes.
NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
SIGNALS = tuple(getattr(signal, name) for name in NAMES if hasattr(signal, name))


class Interrupted(SystemExit, KeyboardInterrupt):
    """Ctrl-C, obeyed: ends a program with status 130 and without a traceback.

    It is a `KeyboardInterrupt`, so that code which waits for one goes on.
    """


class StopSignals(contextlib.AbstractContextManager):
    """Notes SIGINT, SIGTERM and SIGHUP while its block runs.

    The first is noted, and a line on stderr says so. Ctrl-C after that does
    what it did before the block: it ends the program at once. SIGTERM and
    SIGHUP are noted again, as some senders repeat them. Signals that were
    ignored stay so, and the former handlers come back with the end of the block.

    Only the main thread gets signals: in another, nothing is ever noted.

    Args:
        what: str, what the line on stderr says is done first.

    Attributes:
        received: int, the number of the signal that was noted; 0 where none.

    Example:

    ```python
    from keras_gans.training.signals import StopSignals

    with StopSignals() as stop:
        while not stop.received:
            break  # some work
    ```
    """

    def __init__(self, what: str = "finishing this step"):
        self.what = what
        self.received = 0
        self._before = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                before = signal.getsignal(number)
                if before not in (None, signal.SIG_IGN, self):
                    self._before[number] = signal.signal(number, self)
        return self

    def __exit__(self, *_) -> None:
        self._give_back(*self._before)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """The handler of the signals."""
        self._give_back(signal.SIGINT)
        told = self.received
        self.received = self.received or number
        before = self._before.get(number)
        if isinstance(before, StopSignals):  # of a training that holds this one
            before(number, frame)
        elif not told:
            again = "; Ctrl-C again ends at once" * (number == signal.SIGINT)
            text = f"\n{_name(number)}: {self.what}{again}.\n"
            # Not `print`, which may be what the signal interrupts. The
            # terminal may be gone.
            with contextlib.suppress(OSError):
                os.write(2, text.encode())

    def _give_back(self, *numbers):
        """Puts former handlers back, where nobody else has set another since."""
        for number in numbers:
            if signal.getsignal(number) is self:
                signal.signal(number, self._before[number])

    def obey(self, number: int) -> bool:
        """Lets a signal do what it did before the block.

        By default that ends the program, with the status of a program that
        the signal has ended: 128 more than its number. A handler of the
        user's own is called, and training goes on where it returns.

        Args:
            number: int, `received`, here or by another process.

        Returns:
            Whether this training ends but the program does not: it is held by
            another one, which noted the signal too.

        Raises:
            Interrupted: SIGINT without a handler of the user's.
            SystemExit: SIGTERM or SIGHUP without one.
        """
        self.received = 0
        before = self._before.get(number)
        if isinstance(before, StopSignals):
            return True
        own = callable(before) and before is not signal.default_int_handler
        if own:
            before(number, sys._getframe())
            self.__enter__()  # Ctrl-C is noted again
            return False
        raise (Interrupted if number == signal.SIGINT else SystemExit)(128 + number)


def _name(number):
    return "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
