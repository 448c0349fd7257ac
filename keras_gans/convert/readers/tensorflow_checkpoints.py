"""TensorFlow's checkpoints: an index file, and the tensors beside it."""

from typing import Any

# What optimizers keep beside a variable, by the last part of its name.
SLOTS = ("Adam", "Adam_1", "RMSProp", "RMSProp_1", "Momentum")


def read_index(path: str) -> dict[str, Any]:
    """The tensors of a checkpoint by its networks.

    Args:
        path: str, the ".index" file.

    Returns:
        Dict of the first part of each name, up to a "/" or else a ".", to a dict of
        the rest of it to an array: `{"G": {"z_project/dense/kernel": ...}}`. What
        optimizers keep, and what belongs to no network, is left out.

    Raises:
        ValueError: it is damaged, or the file of its tensors is missing.
    """
    import tensorflow as tf

    prefix = path.removesuffix(".index")
    try:
        reader = tf.train.load_checkpoint(prefix)
        names = sorted(reader.get_variable_to_shape_map())
        networks = {}
        for name in names:
            network, _, rest = name.partition("/" if "/" in name else ".")
            if rest and rest.rpartition("/")[2] not in SLOTS:
                networks.setdefault(network, {})[rest] = reader.get_tensor(name)
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"Cannot read {path!r}. It is damaged, or {prefix}.data-00000-of-00001 "
            f"is not beside it. {type(error).__name__}: {str(error)[:200]}"
        ) from error
    return networks
