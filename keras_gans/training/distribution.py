"""Several GPUs, several hosts: what a training is shared out over.

The work is done by `tf.distribute` and `keras.distribution`; here is what a
run needs of them by name, and what starts several processes on one machine to
try it out.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import keras

from keras_gans.engine.keras_internals import synchronize_seed
from keras_gans.training.signals import StopSignals
from keras_gans.utils.validation import is_int, one_of, within

STRATEGIES = ("auto", "none", "mirrored", "multi_worker", "data_parallel")
BACKEND_OF = {
    "mirrored": "tensorflow",
    "multi_worker": "tensorflow",
    "data_parallel": "jax",
}
# As `keras.distribution.initialize` reads them.
PROCESS = "KERAS_DISTRIBUTION_PROCESS_ID"
PROCESSES = "KERAS_DISTRIBUTION_NUM_PROCESSES"
ADDRESSES = "KERAS_DISTRIBUTION_JOB_ADDRESSES"
# What `launch` tells its workers: the end of a pipe that it holds, and how many
# they are.
LAUNCHER = "KERAS_GANS_LAUNCHER"
WORKERS = "KERAS_GANS_WORKERS"
GRACE = 30  # seconds that workers have to end when one of them did
HEARTBEATS = 30  # seconds without one after which JAX gives a process up
# Of the errors of TensorFlow and JAX where a process does not answer any more.
LOST = ("Collective ops is aborted", "coordination service", "Gloo")


def scope(strategy: str = "auto") -> contextlib.AbstractContextManager:
    """A context to build and compile a GAN in, so that it is shared out.

    It is trained outside: within, TensorFlow makes each process wait for the
    others where only one of them writes a file.

    Args:
        strategy: str, one of

            - `"none"`: one device;
            - `"mirrored"`: the GPUs of this host, by TensorFlow;
            - `"multi_worker"`: several hosts, each with its GPUs, by
              TensorFlow. The environment variable TF_CONFIG says which:
              https://www.tensorflow.org/guide/distributed_training;
            - `"data_parallel"`: the devices of this host by JAX; those of
              several where KERAS_DISTRIBUTION_JOB_ADDRESSES,
              KERAS_DISTRIBUTION_NUM_PROCESSES and
              KERAS_DISTRIBUTION_PROCESS_ID are set;
            - `"auto"`: whichever of these the environment and the GPUs call
              for.

    Returns:
        A context manager.

    Raises:
        ValueError: there is no such strategy, it is another backend's, or the
            environment does not say what it needs.

    Example:

    ```python
    from keras_gans.training import distribution

    with distribution.scope("none"):
        gan = keras_gans.DCGAN(image_shape=(16, 16, 3), width=8)
        gan.compile()
    ```
    """
    one_of("strategy", strategy, STRATEGIES)
    _end_with_launcher()
    backend = keras.backend.backend()
    if strategy == "auto":
        strategy = _called_for(backend)
    wanted = BACKEND_OF.get(strategy, backend)
    if backend != wanted:
        ours = [s for s in STRATEGIES if BACKEND_OF.get(s, backend) == backend]
        raise ValueError(
            f"{strategy!r} is a strategy of {wanted}. Received: it, and the "
            f"Keras backend {backend}. Choose one of {', '.join(ours)}, or set "
            f"KERAS_BACKEND={wanted}."
        )
    if strategy == "none":
        return contextlib.nullcontext()
    if strategy == "data_parallel":
        return _data_parallel()
    import tensorflow as tf

    if strategy == "mirrored":
        return tf.distribute.MirroredStrategy().scope()
    if _workers() == 0:
        raise ValueError(
            "--strategy=multi_worker reads from TF_CONFIG which hosts there are. "
            f"Received: TF_CONFIG={os.environ.get('TF_CONFIG')!r}. Set it on "
            "every host, or try it on this one with --workers=2."
        )
    return tf.distribute.MultiWorkerMirroredStrategy().scope()


def is_chief() -> bool:
    """Whether this process is the one of a training that writes."""
    if keras.backend.backend() == "jax":
        return os.environ.get(PROCESS, "0") == "0"
    config = _tf_config()
    task = config.get("task", {})
    if task.get("type") == "chief":
        return True
    first = "chief" not in config.get("cluster", {})
    return first and int(task.get("index", 0)) == 0


def lost_worker(error: BaseException) -> str | None:
    """The line of an exception by which another process is gone, or None."""
    for line in str(error).splitlines():
        if any(words in line for words in LOST):
            return line
    return None


def _called_for(backend):
    if backend == "jax":
        import jax

        several = ADDRESSES in os.environ or jax.local_device_count() > 1
        return "data_parallel" if several else "none"
    if _workers() > 1:
        return "multi_worker"
    import tensorflow as tf

    gpus = tf.config.list_logical_devices("GPU")
    return "mirrored" if len(gpus) > 1 else "none"


def _workers():
    """How many workers TF_CONFIG names; 0 where there is none."""
    cluster = _tf_config().get("cluster", {})
    return len(cluster.get("worker", ())) + len(cluster.get("chief", ()))


def _tf_config():
    text = os.environ.get("TF_CONFIG") or "{}"
    try:
        config = json.loads(text)
        if isinstance(config.get("cluster", {}), dict):
            return config
        error = "no cluster"
    except (ValueError, AttributeError) as found:
        error = found
    raise ValueError(
        f"TF_CONFIG is no JSON object with a cluster ({error}). Received: "
        f'{text}. Expected, for instance: {{"cluster": {{"worker": ["a:2222", '
        '"b:2222"]}, "task": {"type": "worker", "index": 0}}.'
    )


def _data_parallel():
    if ADDRESSES in os.environ:
        _initialize()
    # Each process feeds its own rows.
    strategy = keras.distribution.DataParallel(auto_shard_dataset=False)
    keras.distribution.set_distribution(strategy)  # of Keras, from here on
    return contextlib.nullcontext()


def _initialize():
    """As `keras.distribution.initialize`, but a dead host is missed sooner."""
    import jax

    processes, process = (os.environ.get(name) for name in (PROCESSES, PROCESS))
    jax.distributed.initialize(
        coordinator_address=os.environ[ADDRESSES].split(",")[0],
        num_processes=None if processes is None else int(processes),
        process_id=None if process is None else int(process),
        heartbeat_timeout_seconds=HEARTBEATS,
    )
    synchronize_seed()


# --- Several processes on this machine ---


def environments(n: int, backend: str | None = None) -> list[dict[str, str]]:
    """What each of `n` processes of one training on this host is told.

    Args:
        n: int of 1 or more.
        backend: str, "tensorflow" or "jax"; that of Keras by default.

    Returns:
        A list of `n` dicts of environment variables.
    """
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(n)]
    if (backend or keras.backend.backend()) == "jax":
        return [
            {ADDRESSES: ",".join(addresses), PROCESSES: str(n), PROCESS: str(i)}
            for i in range(n)
        ]
    cluster = {"worker": addresses}
    tasks = [{"type": "worker", "index": i} for i in range(n)]
    return [
        {"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})} for task in tasks
    ]


def _free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    try:
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


def launch(n: int, command: list[str]) -> int:
    """Runs a command in `n` processes that train together.

    Where one of them ends with an error, the others have half a minute to
    end by themselves. SIGINT, SIGTERM and SIGHUP are passed on to all of them,
    which then end after a checkpoint; a second Ctrl-C ends them at once. If
    this process is killed, those that have called `scope` end too.

    Args:
        n: int of 1 or more.
        command: list of str.

    Returns:
        int, the exit status: 0 where all have ended well, and 128 more than the
        number of a signal that ended them.
    """
    within("workers", n, is_int(n) and n > 0, "1, 2, ...")
    own, write_end = os.pipe()
    workers = []
    told = {LAUNCHER: str(own), WORKERS: str(n)}
    with StopSignals("the workers are told") as stop:
        try:
            for more in environments(n):
                # In groups of their own, so that Ctrl-C comes through this
                # process alone, and once.
                worker = subprocess.Popen(
                    command,
                    env={**os.environ, **more, **told},
                    pass_fds=[own],
                    process_group=0,
                )
                workers.append(worker)
            return _wait(workers, stop)
        finally:
            os.close(own)
            os.close(write_end)
            for worker in workers:
                if worker.poll() is None:
                    worker.kill()
                    worker.wait()


def launched_workers() -> int:
    """How many workers `launch` has started, of which this is one; else 1."""
    return int(os.environ.get(WORKERS, 1))


def _end_with_launcher():
    """Ends this process when that which launched it is gone."""
    pipe = os.environ.pop(LAUNCHER, None)  # not for processes of this one
    if pipe is None:
        return

    def wait():
        os.read(int(pipe), 1)  # until the other end is closed
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)
        os._exit(128 + signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def _wait(workers, stop):
    """Waits for all to end, or a while for the others once one has failed."""
    deadline, ends_well = None, (None, 0)
    while any(worker.poll() is None for worker in workers):
        if stop.received and len(ends_well) == 2:
            ends_well = (None, 0, 128 + stop.received)
            for worker in workers:
                worker.send_signal(stop.received)
        if any(worker.poll() not in ends_well for worker in workers):
            deadline = deadline or time.monotonic() + GRACE
            if time.monotonic() > deadline:
                break
        time.sleep(0.2)
    if stop.received:
        return 128 + stop.received
    codes = {i: worker.poll() for i, worker in enumerate(workers)}
    if not any(codes.values()):
        return 0
    failed = ", ".join(f"{i} ({code})" for i, code in codes.items() if code)
    print(
        f"keras-gans: ended with an error: worker {failed}. What is written "
        "stays: go on with --resume.",
        file=sys.stderr,
    )
    return 1
