"""What sample grids show of a GAN that translates."""

import itertools
import types

import numpy as np

from keras_gans import images as pictures

ROWS = 4  # images of a grid, unless more are asked for
MAX_KEPT = 16  # images of the first batch that are kept for grids


class TranslationGrids:
    """Rows of images and their translations; mixed into `Translating`."""

    _first_images = None

    @property
    def grid_legend(self):
        """What stands beside each other in a grid."""
        if "ba" not in self.directions:
            return "source, output, target"
        return "a, G_AB(a), back to a; b, G_BA(b), back to b"

    def keep_for_grids(self, parts):
        """Keeps the two arrays of the first batch of all."""
        if self._first_images is None:
            kept = [part[:MAX_KEPT].astype("float32") for part in parts]
            # In an object of its own: Keras would look into a list.
            self._first_images = types.SimpleNamespace(parts=kept)

    def shown_images(self, images, n=None):
        """The first `n` of `images`, a pair of arrays or a data set of pairs.

        Raises:
            ValueError: they are nothing that the GAN trains on.
        """
        if images is None:
            return None
        shown = self._first_rows(images, ROWS if n is None else n)
        first = self._first_images
        self.check_batch(shown)  # which keeps them
        self._first_images = first
        return shown

    def _first_rows(self, images, n):
        batches = [images] if isinstance(images, (tuple, list)) else images
        taken = None
        for batch in batches:
            if isinstance(batch, (tuple, list)):
                batch = self.pair(batch)
            if not isinstance(batch, tuple) or len(batch) != 2:
                return batch  # for `check_batch` to refuse
            parts = [np.asarray(part) for part in batch]
            if taken is None:
                taken = parts
            elif [p.shape[1:] for p in taken] == [p.shape[1:] for p in parts]:
                pairs = zip(taken, parts, strict=True)
                taken = [np.concatenate(pair) for pair in pairs]
            if min(map(len, taken)) >= n:
                break
        if taken is None:
            raise ValueError(
                "A grid shows the images of a pair of arrays or of a data set "
                f"of pairs. Received: an empty {type(images).__name__}."
            )
        return tuple(part[:n] for part in taken)

    def sample_grid(
        self, shown=None, n=None, seed=0, columns=None, picture=None
    ):
        """What `callbacks.SampleGrid` draws.

        Each image is shown with its translation and with its target or, where
        there is a way back, with what comes back.

        Args:
            shown: what `shown_images` returned; `None` for the first images
                that `fit` saw.
            n: int, images of each side at most, 4 by default.
            seed: int, of dropout.
            columns: int, images a row, each with its translations; 1 by
                default.
            picture: function of a source, and of a source and what is made of
                it, that gives what is to be seen; see `applications`.

        Returns:
            `(tiles, columns)` for `images.make_grid`.
        """
        if shown is None and self._first_images is None:
            raise ValueError(
                "No images for a sample grid: `fit` has seen no batch yet. "
                "Received: images=None. Pass some to `SampleGrid(images=...)`."
            )
        if shown is None:
            n = ROWS if n is None else n
            shown = [part[:n] for part in self._first_images.parts]
        rows = self._rows(*shown, seed)
        if picture is not None:
            rows = [
                (picture(source), *(picture(source, made) for made in others))
                for source, *others in rows
            ]
        tiles, width = pictures.side_by_side(*itertools.chain(*rows))
        # Of more channels than a PNG has, each is a tile: rows of unlike
        # lengths then are one.
        if all(
            side.shape[-1] in pictures.MODES for row in rows for side in row
        ):
            width //= len(rows)
        return tiles, width * (columns or 1)

    def _rows(self, a, b, seed):
        """A tuple of batches for each direction."""

        def translated(images, direction):
            # Beyond [-1, 1], where an untrained network has no tanh.
            images = np.clip(images, -1, 1)
            return self._translate(images, direction, seed, False)

        like_b = translated(a, "ab")
        if "ba" not in self.directions:
            return [(a, like_b, b)]
        like_a = translated(b, "ba")
        return [
            (a, like_b, translated(like_b, "ba")),
            (b, like_a, translated(like_a, "ab")),
        ]
