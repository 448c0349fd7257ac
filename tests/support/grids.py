"""The tiles of a grid that was drawn for people."""

from keras_gans.modalities import pictures


def tiles(picture, n, columns, height, width, heads=0, feet=0, left=0):
    """The images of `pictures.draw_grid`, of their own size, as a list.

    Args:
        picture: uint8 array.
        n: int, images.
        columns: int.
        height: int, of an image.
        width: int, of an image.
        heads: int, lines of text above the columns.
        feet: int, lines of text below each image.
        left: int, pixels of the names of rows.
    """
    gap, line = pictures.GAP, round(1.3 * pictures.FONT)
    picture = picture[:, left:]
    scale = ((picture.shape[1] - gap) // columns - gap) // width
    found = []
    for i in range(n):
        row, column = divmod(i, columns)
        y = gap + line * heads + row * (height * scale + line * feet + gap)
        x = gap + column * (width * scale + gap)
        tile = picture[y : y + height * scale, x : x + width * scale]
        small = tile[::scale, ::scale]
        assert (small.repeat(scale, 0).repeat(scale, 1) == tile).all(), i
        found.append(small)
    return found


def row_names(longest):
    """The pixels that names of rows take, of which this is the longest."""
    return pictures._length(longest) + 2 * pictures.GAP
