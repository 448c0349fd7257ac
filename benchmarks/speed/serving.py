"""What `keras-gans serve` makes of a machine.

    python benchmarks/speed/serving.py               # server and clients on all cores
    python benchmarks/speed/serving.py --one_core    # server on one, clients on another

DCGAN of 64 x 64 pixels, exported untrained; requests of `--rows` seeds over gRPC
from clients in this process, which read the answers as bytes.

1. Bare: the loaded SavedModel's signature called in a loop, on the server's
   cores, for each batch size; the best counts.
2. Capacity: as many requests in flight as fill three batches, always: two run and
   one waits.
3. At 50, 80, 120 and 200 % of the capacity, requests arrive at random (Poisson).
   Latencies are of answered ones; refused ones are counted and timed too.
4. `--answers` requests of one seed to a small model, each compared with the
   sample that the seed has; the server's memory is read as they go on.

Bare calls and capacity are measured in turns, A B A B, so that both meet the
machine's good and bad seconds.
"""

import argparse
from concurrent import futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

import keras_gans

METHOD = "/tensorflow.serving.PredictionService/Predict"
BATCHES = (1, 4, 8, 16, 32, 64)
LOADS = (0.5, 0.8, 1.2, 2.0)
ROOT = pathlib.Path(__file__).parents[2]
# The bare call in a process of its own, on the server's cores: it reads a batch
# size and seconds from each line, and writes the rows it made in a second.
BARE = """
import sys, time, numpy as np, tensorflow as tf
serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
for line in sys.stdin:
    batch, seconds = int(line.split()[0]), float(line.split()[1])
    seeds = tf.constant(np.arange(batch))
    begun, rows = None, 0
    for _ in range(2):
        serve(seeds)
    begun = time.perf_counter()
    while time.perf_counter() - begun < seconds:
        {k: v.numpy() for k, v in serve(seeds).items()}
        rows += batch
    print(rows / (time.perf_counter() - begun), flush=True)
"""


def request(model, seeds):
    """The bytes of a request."""
    made = predict_pb2.PredictRequest()
    made.model_spec.name = model
    made.inputs["seed"].CopyFrom(tf.make_tensor_proto(np.int64(seeds)))
    return made.SerializeToString()


class Server:
    """`keras-gans serve` in a process of its own."""

    def __init__(self, folder, cores, flags):
        words = ["serve", folder, "--port=0", "--grpc_port=0", "--quiet", *flags]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "keras_gans_cli", *map(str, words)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        for line in self.process.stdout:
            if line.startswith("gRPC: "):
                self.address = line.split()[1]
                break
        self.channel = grpc.insecure_channel(
            self.address, [("grpc.max_receive_message_length", -1)]
        )
        self.send = self.channel.unary_unary(METHOD)

    def memory(self):
        """Its resident MiB."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.partition("VmRSS:")[2].split()[0]) / 1024

    def close(self):
        self.channel.close()
        self.process.terminate()
        return self.process.wait(60)


class Bare:
    """The bare call in a process of its own."""

    def __init__(self, model, cores):
        self.process = subprocess.Popen(
            [sys.executable, "-c", BARE, str(model)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )

    def rate(self, batch, seconds):
        """Rows a second."""
        self.process.stdin.write(f"{batch} {seconds}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


def capacity(server, rows, in_flight, seconds):
    """Rows a second with so many requests always in flight."""
    data = request("dcgan", range(rows))
    until = time.perf_counter() + seconds
    answered = []

    def client(_):
        while time.perf_counter() < until:
            server.send(data, timeout=120)
            answered.append(time.perf_counter())

    begun = time.perf_counter()
    with futures.ThreadPoolExecutor(in_flight) as pool:
        list(pool.map(client, range(in_flight)))
    return len(answered) * rows / (max(answered) - begun)


def load(server, rows, rate, seconds):
    """Requests that arrive at random, `rate` rows a second.

    Returns:
        `(latencies, refusals)`, seconds each; other errors end the program.
    """
    data = request("dcgan", range(rows))
    gaps = np.random.default_rng(0).exponential(rows / rate, int(seconds * rate / rows))
    latencies, refusals, calls = [], [], []
    begun = time.perf_counter()

    def note(at):
        def done(call):
            taken = time.perf_counter() - at
            refused = call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            (refusals if refused else latencies).append(taken)

        return done

    for at in begun + np.cumsum(gaps):
        time.sleep(max(0.0, at - time.perf_counter()))
        call = server.send.future(data, timeout=120)
        call.add_done_callback(note(time.perf_counter()))
        calls.append(call)
    for call in calls:
        code = call.code()
        if code not in (grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED):
            raise SystemExit(f"a request ended with {code}: {call.details()}")
    time.sleep(0.2)
    return latencies, refusals


def check_answers(server, folder, count, workers=8, seeds=1000):
    """Compares each of `count` answers with the sample of its seed.

    Returns:
        `(wrong, lost, memory)`: memory as a list of (answers, MiB).
    """
    loaded = tf.saved_model.load(str(folder / "small" / "1"))
    serve = loaded.signatures["serving_default"]
    known = serve(tf.constant(np.arange(seeds)))["images"].numpy()
    # Rounding differs with the batch; two seeds' samples differ by far more.
    gaps = np.abs(known[1:] - known[:-1]).max(axis=(1, 2, 3))
    wrong, lost, memory = [], [], []
    lock, left = threading.Lock(), list(range(count))

    def client(_):
        while True:
            with lock:
                if not left:
                    return
                number = left.pop()
                if number % (count // 10) == 0:
                    memory.append((count - number, server.memory()))
            seed = number * 7919 % seeds
            reply = predict_pb2.PredictResponse.FromString(
                server.send(request("small", [seed]), timeout=120)
            )
            made = tf.make_ndarray(reply.outputs["images"])
            if made.shape != (1, *known.shape[1:]):
                lost.append(number)
            elif np.abs(made[0] - known[seed]).max() > 1e-4:
                wrong.append(number)

    with futures.ThreadPoolExecutor(workers) as pool:
        list(pool.map(client, range(workers)))
    return wrong, lost, sorted(memory), float(gaps.min())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--one_core", action="store_true")
    parser.add_argument("--rows", type=int, default=8, help="seeds of a request")
    parser.add_argument("--width", type=int, default=64, help="of the DCGAN")
    parser.add_argument("--seconds", type=float, default=5, help="of each turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--num_batch_threads", type=int, default=2)
    parser.add_argument("--answers", type=int, default=20_000)
    parser.add_argument("--results", help="file that the row is added to")
    args = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    mine = cores[1:] if args.one_core else cores
    theirs = cores[:1] if args.one_core else cores
    os.sched_setaffinity(0, mine)
    with tempfile.TemporaryDirectory() as folder:
        row = measure(pathlib.Path(folder), args, theirs)
    print(json.dumps(row))
    if args.results:
        with open(args.results, "a") as file:
            file.write(json.dumps(row) + "\n")


def measure(folder, args, cores):
    """All measurements, as a dict."""
    gan = keras_gans.DCGAN((64, 64, 3), width=args.width)
    gan.export(folder / "dcgan" / "1")
    small = keras_gans.DCGAN((16, 16, 1), width=8)
    small.export(folder / "small" / "1")
    row = {"cores": len(cores), "rows": args.rows, "width": args.width}
    row["num_batch_threads"] = args.num_batch_threads
    bare = Bare(folder / "dcgan" / "1", cores)
    for batch in BATCHES:
        row[f"bare_{batch}"] = bare.rate(batch, args.seconds / 2)
    best = max(BATCHES, key=lambda batch: row[f"bare_{batch}"])
    print(f"bare, best batch {best}: {row[f'bare_{best}']:.0f} rows/s", flush=True)
    flags = [f"--max_batch_size={best}", f"--max_queue={2 * best}"]
    flags.append(f"--num_batch_threads={args.num_batch_threads}")
    server = Server(folder, cores, flags)
    in_flight = max(2, 3 * best // args.rows)
    capacity(server, args.rows, in_flight, 2)  # warm
    turns = []
    for _ in range(args.turns):
        turns.append(
            (
                bare.rate(best, args.seconds),
                capacity(server, args.rows, in_flight, args.seconds),
            )
        )
        print("bare {:.1f}, served {:.1f} rows/s".format(*turns[-1]), flush=True)
    bare.close()
    row["best_batch"] = best
    row["bare"], row["served"] = np.median(turns, axis=0).tolist()
    row["share"] = float(np.median([served / raw for raw, served in turns]))
    for part in LOADS:
        took, refused = load(server, args.rows, part * row["served"], 4 * args.seconds)
        points = np.percentile(took, (50, 95, 99)) * 1000
        row[f"at_{part}"] = {
            "p50_p95_p99_ms": [round(float(x), 1) for x in points],
            "answered": len(took),
            "refused": len(refused),
            "refused_p99_ms": round(float(np.percentile(refused or [0], 99)) * 1e3, 1),
        }
        print(f"at {100 * part:.0f} %: {row[f'at_{part}']}", flush=True)
    wrong, lost, memory, gap = check_answers(server, folder, args.answers)
    row |= {"answers": args.answers, "wrong": len(wrong), "lost": len(lost)}
    row |= {"least_gap": gap, "memory_mib": [round(x, 1) for _, x in memory]}
    row["exit"] = server.close()
    return row


if __name__ == "__main__":
    main()
