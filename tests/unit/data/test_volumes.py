"""Solids of files: voxelized, resampled, turned, and refused."""

import struct
import zipfile

import numpy as np
import pytest
import trimesh

from keras_gans.data import (
    describe_volumes,
    furniture,
    load_volumes,
    read_volume,
    render_volumes,
    volume_classes,
)
from keras_gans.data import volumes as reading
from keras_gans.modalities import meshes

KINDS = ("obj", "stl", "ply", "off", "glb")


def box(sides=(1, 2, 0.5)):
    return trimesh.creation.box(sides)


def open_box():
    mesh = box()
    mesh.update_faces(np.arange(len(mesh.faces)) > 1)  # one side is left out
    return mesh


def binvox(solid):
    """The bytes of a .binvox file of a solid [x, y, z], in runs of one voxel."""
    bits = solid.transpose(0, 2, 1).ravel().astype("uint8")
    x, y, z = solid.shape
    head = f"#binvox 1\ndim {x} {z} {y}\ntranslate 0 0 0\nscale 1\ndata\n"
    return head.encode() + np.stack([bits, np.ones_like(bits)], 1).tobytes()


@pytest.fixture
def folder(tmp_path):
    """Two classes: boxes of every kind, and volumes of two grids."""
    for name in ("box", "grid"):
        (tmp_path / name).mkdir()
    for kind in KINDS:
        box().export(tmp_path / "box" / f"a.{kind}")
    solid = np.zeros((8, 16, 4), bool)
    solid[:2, 3:, 1] = True
    np.savez(tmp_path / "grid" / "b.npz", solid=solid)
    np.save(tmp_path / "grid" / "c.npy", solid[..., None].astype("float32"))
    (tmp_path / "grid" / "d.binvox").write_bytes(binvox(solid))
    (tmp_path / "notes.txt").write_text("none")
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
def test_meshes_become_voxels(kind, tmp_path):
    box().export(tmp_path / f"a.{kind}")
    solid = read_volume(tmp_path / f"a.{kind}", 16)
    sides = [np.flatnonzero(solid.any(axis=axis)) for axis in ((1, 2), (0, 2), (0, 1))]
    # The longest side fills all but one voxel at each end; the others follow.
    lengths = [len(side) for side in sides]
    assert lengths[1] == 14
    assert 7 <= lengths[0] <= 9 and 3 <= lengths[2] <= 5
    assert solid.sum() == np.prod(lengths)  # filled, not its surface alone
    turned = read_volume(tmp_path / f"a.{kind}", 16, up="z")
    np.testing.assert_array_equal(turned, solid.transpose(0, 2, 1, 3)[:, :, ::-1])


def test_voxels_of_a_ball_are_those_within_it():
    ball = meshes.Mesh(trimesh.creation.icosphere(4).triangles, True)
    solid = meshes.voxelize(ball, 32)
    at = np.mgrid[:32, :32, :32] + 0.5 - 16
    radius = np.sqrt(np.square(at).sum(axis=0))
    assert solid[radius < 14.9].all()
    assert not solid[radius > 15 + np.sqrt(3) / 2].any()


def test_scenes_are_read_where_their_parts_stand(tmp_path):
    scene = trimesh.Scene()
    scene.add_geometry(box((1, 1, 1)))
    apart = trimesh.transformations.translation_matrix([3, 0, 0])
    scene.add_geometry(box((1, 1, 1)), transform=apart)
    scene.export(tmp_path / "two.glb")
    solid = read_volume(tmp_path / "two.glb", 18)[..., 0]
    columns = solid.any(axis=(1, 2))
    assert columns[1:5].all() and not columns[6:12].any() and columns[13:17].all()


def shifted(by, turned=False):
    mesh = box((1, 1, 1)).apply_translation(by)
    if turned:
        mesh.invert()
    return mesh


@pytest.mark.parametrize(
    ("by", "turned", "voxels"),
    [
        ((0, 0, 1), False, 14 * 8 * 8),  # face to face
        ((0, 1, 1), False, 2 * 8 * 7 * 8),  # along an edge
        ((0, 0, 0), True, 14 * 14 * 14),  # each face drawn from both sides
    ],
)
def test_parts_that_touch_are_closed(by, turned, voxels, tmp_path):
    both = trimesh.util.concatenate([shifted((0, 0, 0)), shifted(by, turned)])
    both.export(tmp_path / "both.stl")
    assert read_volume(tmp_path / "both.stl", 16).sum() == voxels


def test_a_sheet_drawn_from_both_sides_is_open(tmp_path):
    lines = ["v 0 0 0", "v 1 0 0", "v 1 1 0", "v 0 1 0"]
    lines += [f"f {corners}" for corners in ("1 2 3", "1 3 4", "3 2 1", "4 3 1")]
    for name, shown in (("sheet", lines), ("triangle", lines[:5] + lines[6:7])):
        (tmp_path / f"{name}.obj").write_text("\n".join(shown))
        with pytest.raises(ValueError, match="is open"):
            read_volume(tmp_path / f"{name}.obj", 16)


@pytest.mark.parametrize("unit", [1e-9, 1e30])
def test_meshes_of_any_unit_are_read(unit, tmp_path):
    box().export(tmp_path / "a.stl")
    box().apply_scale(unit).export(tmp_path / "b.stl")
    alike = [read_volume(tmp_path / f"{name}.stl", 16) for name in "ab"]
    np.testing.assert_array_equal(*alike)


def test_formats_grids_and_classes(folder):
    options = {"size": 16, "batch_size": 8, "labels": True, "shuffle": False}
    ((volumes, labels),) = load_volumes(folder, **options).as_numpy_iterator()
    assert volumes.shape == (8, 16, 16, 16, 1) and volumes.dtype == np.float32
    assert set(np.unique(volumes)) == {0, 1}
    np.testing.assert_array_equal(labels, [0] * 5 + [1] * 3)
    np.testing.assert_array_equal(volumes[0], volumes[3])  # of .glb and .ply
    np.testing.assert_array_equal(volumes[5], volumes[6])
    np.testing.assert_array_equal(volumes[5], volumes[7])
    assert volumes[5].sum() == 2 * 13  # padded to a cube, not stretched
    assert volume_classes(folder) == ["box", "grid"]
    signed = load_volumes(folder, **options | {"range": (-1, 1), "labels": False})
    np.testing.assert_array_equal(next(iter(signed)), 2 * volumes - 1)


def test_archives_are_folders(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in folder.rglob("*.*"):
            if path.suffix != ".zip":
                archive.write(path, path.relative_to(folder))
    found = load_volumes(tmp_path / "all.zip", size=8, batch_size=8)
    assert next(iter(found)).shape == (8, 8, 8, 8, 1)


def test_what_is_found_is_said(folder):
    open_box().export(folder / "box" / "open.obj")
    text = str(describe_volumes(folder, 8, labels=True, surfaces=True))
    for part in (
        "9 of 9 files",
        ".txt x1",
        "3 of 8 x 16 x 4 voxels: solid where anything is",
        "6 meshes, 1 of them open: their surface, and what it encloses",
        "2: box, grid",
        "8 x 8 x 8 voxels",
    ):
        assert part in text


@pytest.mark.parametrize("sides", [(3, 3, 3), (7, 5, 6), (16, 16, 16), (40, 8, 8)])
def test_resampling_loses_nothing(sides):
    solid = np.zeros(sides, bool)
    solid[1, 2, 1] = solid[-1, -1, -1] = True
    made = reading._fitted(solid, 16)
    assert made.shape == (16, 16, 16) and made.any()
    if max(sides) >= 16:
        assert made.sum() == 2
    else:
        assert made.sum() >= 2 * (16 // max(sides)) ** 3
    full = reading._fitted(np.ones((max(sides),) * 3, bool), 16)
    assert full.all()


def alike(first, second):
    """Which rows are the same."""
    return (first == second).all(axis=(1, 2, 3, 4))


@pytest.mark.full
def test_turns_depend_on_seed_epoch_and_place():
    options = {"size": 8, "batch_size": 16, "repeat": True, "rotate": True}

    def some(**kwargs):
        return next(load_volumes("furniture", **options, **kwargs).as_numpy_iterator())

    first = some(seed=1)
    np.testing.assert_array_equal(first, some(seed=1))
    assert (first != some(seed=2)).any()
    still = load_volumes("furniture", **{**options, "rotate": False}, seed=1)
    still = next(still.as_numpy_iterator())
    turns = [np.rot90(still, k, (1, 3)) for k in range(4)]
    same = np.array([alike(first, turn) for turn in turns])
    assert same.any(axis=0).all()  # each is one of the four
    assert same.any(axis=1).all()  # each of the four is some's
    mirrored = load_volumes(
        "furniture", **{**options, "rotate": False}, flip=True, seed=1
    )
    mirrored = next(mirrored.as_numpy_iterator())
    same = np.array([alike(mirrored, way) for way in (still, still[:, ::-1])])
    assert same.any(axis=0).all() and same.any(axis=1).all()
    *_, fourth = load_volumes("furniture", **options, seed=1).take(4)
    np.testing.assert_array_equal(fourth, some(seed=1, start=3))


def test_furniture():
    solids = furniture()
    assert solids.volumes.shape == (820, 32, 32, 32, 1)
    assert solids.volumes.max() == 1 and (solids.volumes.sum((1, 2, 3, 4)) > 80).all()
    assert len(solids.names) == len(solids.creators) == len(solids.labels) == 820
    assert np.bincount(solids.labels).tolist() == [17, 35, 76, 27, 571, 21, 57, 16]
    assert volume_classes("furniture") == solids.label_names
    # Upright: more of a lamp is at its ends than a turned one would have.
    table = solids.volumes[solids.labels == solids.label_names.index("table")]
    profile = table.mean(axis=(0, 1, 3, 4))
    assert profile[20:].sum() > profile[:12].sum()


def glb(tree, rest=b""):
    head = tree if isinstance(tree, bytes) else str(tree).replace("'", '"').encode()
    head += b" " * (-len(head) % 4)
    size = struct.pack("<III", 2, 20 + len(head) + len(rest), len(head))
    return b"glTF" + size + b"JSON" + head + rest


@pytest.mark.daily(3)
@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.stl", open_box().export(file_type="stl"), r"is open.*--surfaces"),
        ("a.obj", b"v 0 0 0\n", "no mesh that can be read"),
        ("a.obj", b"\0\1\2", "no mesh"),
        ("a.obj", b"v 0 0 0\nv 1 0 0\nv 0 inf 0\nf 1 2 3\n", "NaN or infinite"),
        ("a.ply", b"ply\nformat ascii 1.0\nelement vertex 99999999999\n", "no mesh"),
        ("a.stl", b"\0" * 80 + b"\xff" * 4, "no mesh"),
        ("a.off", b"OFF\n9999999 9999999 0\n", "no mesh"),
        ("a.glb", b"glTF", "no .glb"),
        ("a.glb", glb({"accessors": [{"count": 10**12}]}), "announces"),
        ("a.glb", glb({"accessors": [{"count": 9}]}), "sparse"),
        ("a.gltf", b'{"buffers": [{"uri": "../../secret"}]}', "Export it as .glb"),
        ("a.gltf", b"[" * 10**5, "no mesh"),
        ("a.binvox", b"#binvox 1\ndim 9 9 9\ndata\n\1\1", "729 voxels and holds 1"),
        ("a.binvox", b"#binvox 1\ndim 99999 99999 99999\ndata\n", "announces"),
        ("a.binvox", b"#binvox 1\ndim 2 2\ndata\n", "its sides"),
        ("a.binvox", b"voxels", "no .binvox"),
        ("a.npy", np.zeros((4, 4), "float32"), r"shape \(4, 4\)"),
        ("a.npy", np.full((4, 4, 4), 9), r"\[9, 9\]"),
        ("a.npy", np.zeros((4, 4, 4)), "empty"),
        ("a.npy", np.full((4, 4, 4), np.nan), "NaN"),
    ],
)
def test_bad_files_are_named(name, data, message, tmp_path):
    path = tmp_path / name
    if isinstance(data, np.ndarray):
        np.save(path, data)
    else:
        path.write_bytes(data)
    np.save(tmp_path / "good.npy", np.ones((4, 4, 4)))
    with pytest.raises(ValueError, match=message) as raised:
        load_volumes(tmp_path, size=8, batch_size=1)
    assert name in str(raised.value) and "good" not in str(raised.value)
    left = load_volumes(tmp_path, size=8, batch_size=1, on_error="skip")
    assert len(list(left)) == 1


def test_open_meshes_are_taken_where_asked(tmp_path):
    open_box().export(tmp_path / "a.obj")
    solid = read_volume(tmp_path / "a.obj", 16, surfaces=True)
    assert 0 < solid.sum() < read_volume_of_box(tmp_path)


def read_volume_of_box(folder):
    box().export(folder / "b.obj")
    return read_volume(folder / "b.obj", 16).sum()


def test_pictures_come_before_the_solids_they_show():
    options = {"size": 16, "batch_size": 4, "pictures": 24, "rotate": True}
    pictures, volumes = next(iter(load_volumes("furniture", **options)))
    assert pictures.shape == (4, 24, 24, 1) and volumes.shape == (4, 16, 16, 16, 1)
    np.testing.assert_array_equal(pictures, render_volumes(volumes.numpy(), 24))
    assert pictures.numpy().max() == 1  # white around the solid
    assert (pictures.numpy().min(axis=(1, 2, 3)) < 0.5).all()
    with pytest.raises(ValueError, match="no labels beside"):
        load_volumes("furniture", **options, labels=True)
    with pytest.raises(ValueError, match=r"\(16, 16, 16, 1\)"):
        render_volumes(volumes[0].numpy())


def test_work_on_a_mesh_is_bounded():
    many = np.zeros((2**16, 3, 3))
    many[:, 1, 0] = many[:, 2, 1] = 1
    with pytest.raises(ValueError, match="too many large triangles"):
        meshes.voxelize(meshes.Mesh(many, True), 256)


def test_arguments_are_checked(tmp_path):
    for options, message in (
        ({"size": 0}, "size"),
        ({"up": "x"}, "up"),
        ({"range": (1, 0)}, "range"),
        ({"seed": -1}, "seed"),
        ({"batch_size": 1000}, "too few for a"),
    ):
        given = {"size": 8, **options}
        with pytest.raises(ValueError, match=message):
            load_volumes("furniture", **given)
    with pytest.raises(ValueError, match="furniture"):
        load_volumes("furnitur", size=8)
    with pytest.raises(ValueError, match="Arrays"):
        load_volumes(np.zeros((2, 8, 8, 8, 1)), size=8)
    with pytest.raises(ValueError, match="holds no volumes or meshes"):
        load_volumes(tmp_path, size=8)


def test_meshes_leave_a_voxel_free_at_each_end():
    box = trimesh.creation.box((3, 1.5, 1))
    for size, sides in ((32, (30, 16, 10)), (17, (15, 9, 5)), (3, (1, 1, 1))):
        mesh = meshes.Mesh(np.asarray(box.triangles), True)
        places = np.argwhere(meshes.voxelize(mesh, size))
        low, high = places.min(axis=0), places.max(axis=0)
        assert tuple(high - low + 1) == sides
        assert low[0] == 1 and high[0] == size - 2
