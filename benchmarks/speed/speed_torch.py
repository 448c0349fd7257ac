"""PyTorch's side of speed.py: the same networks in a plain training step.

    PYTHON benchmarks/speed/speed_torch.py cpu|cuda

It waits for lines of JSON, as speed.py sends them, and idles between. Needs
torch, and nothing of keras_gans.
"""

import os
import pathlib
import statistics
import sys
import time

from speed_torch_recipe_steps import TRAINERS
from speed_torch_steps import Trainer
import torch

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import workers

WARM_UP = 2


def trainer(settings, form):
    """A model in one form, by its settings."""
    return TRAINERS.get(settings["model"], Trainer)(settings, form)


def timed(function):
    start = time.perf_counter()
    function()
    if torch.get_default_device().type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


class Contender:
    """What speed.py can ask for."""

    def calibrate(self, settings, steps, compiled):
        """Median seconds of each form, in turns; a compiled one may fail."""
        forms = ["contiguous", "channels_last"]
        if compiled:
            forms += [f"{form}, compiled" for form in forms]
        return {
            use: self._of_forms(settings, forms, use, steps)
            for use in ("train", "infer")
        }

    def _of_forms(self, settings, forms, use, steps):
        found, runs = {}, {}
        for form in forms:
            own = trainer(settings, form)
            if use == "infer":
                own.sample_alone()
            runs[form] = own.step if use == "train" else own.infer
        seconds = {form: [] for form in forms}
        for _ in range(WARM_UP + steps):
            for form in [form for form in forms if form not in found]:
                try:
                    seconds[form].append(timed(runs[form]))
                except Exception as error:
                    if "compiled" not in form:
                        raise
                    line = str(error).strip().splitlines()[0]
                    found[form] = f"{type(error).__name__}: {line}"
        for form in [form for form in forms if form not in found]:
            median = statistics.median(seconds[form][WARM_UP:])
            found[form] = round(median, 5)
        return found

    def open(self, settings, forms):
        """Makes a model ready; returns the parameters of G and of D."""
        self.settings, self.forms = settings, forms
        self.trainer = trainer(settings, forms["train"])
        self.built_mib = round(workers.memory())
        self.train(WARM_UP - 1)
        return [
            sum(p.numel() for p in network.parameters())
            for network in (self.trainer.g, self.trainer.d)
        ]

    def versions(self):
        return {"torch": torch.__version__}

    def train(self, steps):
        size = self.settings.get("round", 1)
        seconds = [timed(self.trainer.step) for _ in range(steps * size + 1)][1:]
        return workers.rounds(seconds, size)

    def infer(self, steps):
        if not hasattr(self, "sampler"):
            # The optimizers' state is not needed any more.
            self.trainer = None
            self.sampler = trainer(self.settings, self.forms["infer"])
            self.sampler.sample_alone()
        return [timed(self.sampler.infer) for _ in range(steps + 1)][1:]

    def multiply(self, steps):
        """Seconds of matrix products of 2048, in the type of the model."""
        a, b = torch.rand(2, 2048, 2048).to(getattr(torch, self.settings["dtype"]))
        return [timed(lambda: a @ b) for _ in range(steps + 1)][1:]

    def memory(self):
        """MiB at most: once the networks were built, and up to now."""
        return {"built": self.built_mib, "peak": round(workers.memory())}


if __name__ == "__main__":
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.set_default_device(sys.argv[1])
    workers.serve(Contender())
