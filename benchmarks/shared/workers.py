"""Processes that take turns, driven by lines of JSON, and their memory.

The standard library alone: those with PyTorch import it as well.
"""

import json
import os
import pathlib
import subprocess
import sys


class Worker:
    """A process that `serve`s; it idles between its turns.

    Args:
        command: list of str and paths.
        env: environment variables beside those of this process.
    """

    def __init__(self, command, env=()):
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **dict(env)},
        )

    def __call__(self, call, **arguments):
        asked = json.dumps({"call": call, "arguments": arguments})
        self._process.stdin.write(asked + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            command = " ".join(map(str, self._process.args))
            sys.exit(f"{command} ended; its error stands above.")
        return json.loads(answer)

    def close(self):
        self._process.stdin.close()
        self._process.wait()


def serve(contender):
    """Answers lines of JSON, {"call": name, "arguments": {...}}."""
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        asked = json.loads(line)
        answer = getattr(contender, asked["call"])(**asked["arguments"])
        print(json.dumps(answer), file=answers, flush=True)


def rounds(seconds, size):
    """Of the seconds of steps, the sums of `size` steps each."""
    return [sum(seconds[i : i + size]) for i in range(0, len(seconds), size)]


def memory(field="VmHWM"):
    """MiB of this process: the most so far, or "VmRSS", what it has now."""
    # (ru_maxrss would begin with that of the parent.)
    text = pathlib.Path("/proc/self/status").read_text()
    line = next(x for x in text.splitlines() if x.startswith(field))
    return int(line.split()[1]) / 1024
