"""Requests are joined, bounded, and each gets its own answer."""

import threading

import numpy as np
import pytest
import served

from keras_gans.serving.batching import Batcher, Options, Retired, bucket
from keras_gans.serving.servable import Servable
from keras_gans.serving.status import ServingError


class Held:
    """A servable that runs when it is let, and notes the sizes it is run on."""

    def __init__(self, servable):
        self.servable = servable
        self.go = threading.Semaphore(0)
        self.begun = threading.Semaphore(0)
        self.sizes = []

    def run(self, name, inputs, outputs):
        self.begun.release()
        assert self.go.acquire(timeout=10)
        self.sizes.append(len(next(iter(inputs.values()))))
        return self.servable.run(name, inputs, outputs)

    def close(self):
        pass


@pytest.fixture(scope="module")
def loaded(saved):
    servable = Servable(saved)
    yield servable
    servable.close()


@pytest.fixture
def held(loaded):
    return Held(loaded)


def batcher_of(held, **options):
    return Batcher(held, Options(**{"batch_timeout": 0, **options}))


def submit(batcher, loaded, seeds):
    signature = loaded.signature("")
    return batcher.submit(signature, {"seed": np.array(seeds)}, ("images",))


def check(future, seeds):
    images = future.result(10)["images"]
    np.testing.assert_array_equal(images, served.images_of(seeds))


def test_what_waits_is_joined_and_padded_to_a_power_of_two(held, loaded):
    batcher = batcher_of(held, max_batch_size=8, num_batch_threads=1)
    first = submit(batcher, loaded, [0])
    held.begun.acquire()
    waiting = [[1], [2, 3], [4, 5], [6, 7, 8, 9]]
    futures = [submit(batcher, loaded, seeds) for seeds in waiting]
    held.go.release(9)
    check(first, [0])
    for future, seeds in zip(futures, waiting, strict=True):
        check(future, seeds)
    batcher.retire()
    # 1 + 2 + 2 rows and no room for 4; the 5 are padded to 8.
    assert held.sizes == [1, 8, 4]
    assert [bucket(n, 12) for n in (1, 2, 3, 5, 8, 9, 12)] == [1, 2, 4, 8, 8, 12, 12]


def test_a_full_batch_runs_beside_the_one_that_runs(held, loaded):
    batcher = batcher_of(held, max_batch_size=2)
    futures = [submit(batcher, loaded, [0])]
    assert held.begun.acquire(timeout=10)
    futures.append(submit(batcher, loaded, [1]))
    assert not held.begun.acquire(timeout=0.05)  # one row of two: it waits
    futures.append(submit(batcher, loaded, [2]))
    assert held.begun.acquire(timeout=10)
    futures.append(submit(batcher, loaded, [3, 4]))
    assert not held.begun.acquire(timeout=0.05)  # two batches run already
    held.go.release(9)
    for future, seeds in zip(futures, ([0], [1], [2], [3, 4]), strict=True):
        check(future, seeds)
    batcher.retire()
    assert sorted(held.sizes) == [1, 2, 2]


def test_one_thread_runs_a_batch_at_a_time(held, loaded):
    batcher = batcher_of(held, max_batch_size=1, num_batch_threads=1)
    futures = [submit(batcher, loaded, [seed]) for seed in range(2)]
    assert held.begun.acquire(timeout=10)
    assert not held.begun.acquire(timeout=0.05)
    held.go.release(9)
    for seed, future in enumerate(futures):
        check(future, [seed])
    batcher.retire()


def test_rows_wait_for_more_until_the_timeout(held, loaded):
    held.go.release(9)
    batcher = batcher_of(held, batch_timeout=10, max_batch_size=3)
    futures = [submit(batcher, loaded, [seed]) for seed in range(3)]
    for seed, future in enumerate(futures):
        check(future, [seed])
    assert held.sizes == [3]
    waits = submit(batcher, loaded, [5])
    with pytest.raises(TimeoutError):
        waits.result(0.05)
    batcher.retire()  # does not wait for them
    check(waits, [5])


def test_a_full_queue_refuses_at_once(held, loaded):
    batcher = batcher_of(held, max_queue=4)
    first = submit(batcher, loaded, [0])
    held.begun.acquire()
    waiting = submit(batcher, loaded, [1, 2, 3])
    with pytest.raises(ServingError, match=r"3 rows wait already, of 4") as caught:
        submit(batcher, loaded, [4, 5])
    assert caught.value.code == "RESOURCE_EXHAUSTED"
    assert batcher.waiting == 3
    held.go.release(9)
    check(first, [0])
    check(waiting, [1, 2, 3])
    check(submit(batcher, loaded, [4, 5]), [4, 5])
    batcher.retire()


def test_one_bad_request_does_not_fail_those_joined_to_it(loaded):
    batcher = Batcher(loaded_copy(loaded), Options(batch_timeout=0.2))
    signature = loaded.signature("generate")

    def ask(label):
        inputs = {"z": np.zeros((1, 2), "float32"), "label": np.int32([label])}
        return batcher.submit(signature, inputs, ("images",))

    good, bad, last = ask(3), ask(30), ask(5)
    assert good.result(10)["images"].tolist() == [[3, 3]]
    with pytest.raises(ServingError, match=r"label lies in \[0, 9\]"):
        bad.result(10)
    assert last.result(10)["images"].tolist() == [[5, 5]]
    batcher.retire()


def loaded_copy(loaded):
    held = Held(loaded)
    held.go.release(10**6)
    return held


def test_a_cancelled_request_is_not_run(held, loaded):
    batcher = batcher_of(held, max_batch_size=1, num_batch_threads=1)
    first = submit(batcher, loaded, [0])
    held.begun.acquire()
    left, stays = submit(batcher, loaded, [1]), submit(batcher, loaded, [2])
    assert left.cancel()
    assert batcher.waiting == 1
    held.go.release(9)
    check(first, [0])
    check(stays, [2])
    batcher.retire()
    assert held.sizes == [1, 1]


def test_the_first_of_a_batch_may_leave_while_it_waits_for_more(held, loaded):
    held.go.release(9)
    batcher = batcher_of(held, batch_timeout=10, max_batch_size=2)
    first = submit(batcher, loaded, [0])
    assert first.cancel()
    futures = [submit(batcher, loaded, [seed]) for seed in (1, 2)]
    for seed, future in zip((1, 2), futures, strict=True):
        check(future, [seed])
    batcher.retire()
    assert held.sizes == [2]


def test_retiring_answers_what_waits_and_takes_no_more(held, loaded):
    batcher = batcher_of(held)
    first = submit(batcher, loaded, [0])
    held.begun.acquire()
    waiting = submit(batcher, loaded, [1])
    ending = threading.Thread(target=batcher.retire)
    ending.start()
    while True:
        try:
            submit(batcher, loaded, [2])
        except Retired:
            break
    held.go.release(10**3)
    ending.join()
    check(first, [0])
    check(waiting, [1])


@pytest.mark.parametrize(
    "given",
    [{"max_batch_size": 0}, {"max_queue": -1}, {"batch_timeout": -1}]
    + [{"max_batch_size": 1.5}, {"batch_timeout": float("nan")}]
    + [{"num_batch_threads": 0}],
)
def test_bad_options_are_told(given):
    [name] = given
    with pytest.raises(ValueError, match=f"`{name}` must"):
        Options(**given).check()
