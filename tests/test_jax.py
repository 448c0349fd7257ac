"""The tests marked `backends` once more, on JAX."""

import os
import pathlib
import subprocess
import sys

import keras
import pytest


@pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="this is the JAX run"
)
def test_the_marked_tests_pass_on_jax(tmp_path):
    folder = pathlib.Path(__file__).parent
    command = [sys.executable, "-m", "pytest", "-m", "backends", "-n", "0"]
    # A test that hangs ends the run and is told by name.
    command += ["-o", "faulthandler_timeout=900"]
    command += ["-o", "faulthandler_exit_on_timeout=true"]
    settings = {
        "KERAS_BACKEND": "jax",
        "PYTHONSAFEPATH": "1",
        # Small models spend their time in the compiler.
        "XLA_FLAGS": "--xla_backend_optimization_level=0 "
        "--xla_llvm_disable_expensive_passes=true",
        # Tests make the same GAN several times: compiled once.
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    run = subprocess.run(
        [*command, "-p", "no:cacheprovider", str(folder)],
        timeout=3600,
        cwd=folder.parent,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]
    assert " passed" in run.stdout
