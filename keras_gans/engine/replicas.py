"""Where a replica stands among the others."""

from typing import Any

import keras

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    def global_rows(n: Any) -> Any:
        """Indices of `n` local rows in the global batch: int32 `[n]`."""
        context = tf.distribute.get_replica_context()
        replica = 0 if context is None else context.replica_id_in_sync_group
        return replica * n + tf.range(n)

    def first_row(n: Any) -> Any:
        """The index of the first of `n` rows where replicas have unlike numbers.

        It takes an exchange; 0 where there is one replica.
        """
        context = tf.distribute.get_replica_context()
        if context is None or context.num_replicas_in_sync == 1:
            return 0
        before = tf.range(context.num_replicas_in_sync) < (
            context.replica_id_in_sync_group
        )
        return tf.reduce_sum(tf.where(before, gathered(tf.convert_to_tensor(n)), 0))

    def count() -> int:
        """How many replicas share a batch."""
        context = tf.distribute.get_replica_context()
        return 1 if context is None else context.num_replicas_in_sync

    def gathered(x: Any) -> Any:
        """What each replica has for `x`, stacked: `[replicas, ...]`."""
        context = tf.distribute.get_replica_context()
        if context is None or context.num_replicas_in_sync == 1:
            return x[None]
        # A sum with the others' rows 0: one exchange, where `all_gather` makes
        # three, as it asks for sizes first.
        n = context.num_replicas_in_sync
        own = tf.range(n) == context.replica_id_in_sync_group
        own = tf.reshape(own, (n,) + (1,) * len(x.shape))
        rows = tf.where(own, x[None], tf.zeros_like(x)[None])
        return context.all_reduce(tf.distribute.ReduceOp.SUM, rows)

else:
    from keras import ops

    def global_rows(n: Any) -> Any:
        """Indices of `n` rows in the global batch: int32 `[n]`.

        JAX arrays are global: sharding cuts them after the draw.
        """
        return ops.arange(n, dtype="int32")

    def first_row(n: Any) -> int:
        """The index of the first of `n` rows: 0, arrays are global."""
        return 0

    def count() -> int:
        """How many replicas share a batch: one, arrays are global."""
        return 1

    def gathered(x: Any) -> Any:
        """`x` of each replica, stacked: here one, arrays are global."""
        return x[None]
