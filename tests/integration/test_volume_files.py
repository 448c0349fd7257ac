"""The command line with solids: train, sample, and what is beside."""

from command_line import call
import numpy as np
from PIL import Image
import pytest
import trimesh

import keras_gans as kg

TINY = ["--size=8", "--width=2", "--batch_size=4", "--steps=2", "--latent_dim=4"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of VoxelGAN on classes of boxes."""
    folder = tmp_path_factory.mktemp("solids")
    for i in range(8):
        path = folder / "data" / ("flat" if i % 2 else "tall") / f"{i}.obj"
        path.parent.mkdir(parents=True, exist_ok=True)
        trimesh.creation.box((1, 0.2 + i % 2, 1)).export(path)
    words = ["--num_classes=2", f"--data={folder / 'data'}", "--rotate", *TINY]
    assert not call("train", "voxel_gan", f"--run_dir={folder / 'run'}", *words)
    return folder / "run"


@pytest.mark.full
def test_run_has_turntables_beside_pictures(run):
    for name in ("reals", "samples/step-00000002"):
        assert (run / f"{name}.png").is_file()
        with Image.open(run / f"{name}-turntable.gif") as film:
            assert film.n_frames == 16


@pytest.mark.parametrize("ending", [".glb", ".obj", ".stl", ".ply", ".npz"])
def test_a_sample_is_a_file(ending, tmp_path):
    keras_file = tmp_path / "gan.keras"
    kg.VoxelGAN(size=8, width=2, latent_dim=4).save(keras_file)
    out = tmp_path / f"solid{ending}"
    assert not call("sample", keras_file, f"--out={out}", "--seed=3")
    if ending == ".npz":
        wanted = kg.load(keras_file).sample(1, seed=3)[0]
        np.testing.assert_array_equal(np.load(out)["volume"], wanted)
    else:
        mesh = trimesh.load(out, force="mesh")
        assert mesh.is_watertight and mesh.volume > 0
    assert call("sample", keras_file, f"--out={out}")  # it stands there


def test_a_seed_is_a_file(run, tmp_path, capsys):
    out = tmp_path / "of_seed.npz"
    assert not call("sample", run, f"--out={out}", "--seeds=7", "--labels=tall")
    assert "1 sample of step 2, seeds 7" in capsys.readouterr().out
    wanted = next(kg.load(run).seed_batches([7], labels=1))[0]
    np.testing.assert_array_equal(np.load(out)["volume"], wanted)


def test_files_of_one_sample_take_no_more(tmp_path, capsys):
    keras_file = tmp_path / "gan.keras"
    kg.VoxelGAN(size=8, width=2, latent_dim=4).save(keras_file)
    words = ("sample", keras_file)
    assert call(*words, f"--out={tmp_path / 'a.glb'}", "--n=2")
    assert "a file of one sample" in capsys.readouterr().err
    assert call(*words, f"--out={tmp_path / 'a.jpg'}")
    assert "A grid is a .png file" in capsys.readouterr().err
    assert not call(*words, f"--out={tmp_path / 'all'}", "--each", "--n=2")
    assert len(list((tmp_path / "all").glob("*.npz"))) == 2


def test_open_meshes_and_scores_of_pictures_are_refused(tmp_path, capsys):
    mesh = trimesh.creation.box()
    mesh.update_faces(np.arange(12) > 1)
    (tmp_path / "data").mkdir()
    for i in range(4):
        mesh.export(tmp_path / "data" / f"{i}.obj")
    words = ["train", "voxel_gan", f"--run_dir={tmp_path / 'run'}", *TINY]
    assert call(*words, f"--data={tmp_path / 'data'}")
    assert "--surfaces" in capsys.readouterr().err
    assert call(*words, "--evaluate_every=2")
    assert "volume_scores" in capsys.readouterr().err


@pytest.mark.full
def test_pictures_to_solids(tmp_path):
    words = ["--image_shape=8,8,1", "--encoder_width=2", "--d_steps=1"]
    run = tmp_path / "run"
    assert not call("train", "image_to_volume", f"--run_dir={run}", *words, *TINY)
    assert (run / "reals-turntable.gif").is_file()
    grey = np.full((8, 8), 200, "uint8")
    grey[2:6, 2:6] = 40
    Image.fromarray(grey).save(tmp_path / "box.png")
    out = tmp_path / "box.npz"
    source = f"--source={tmp_path / 'box.png'}"
    assert not call("sample", run, source, f"--out={out}")
    assert np.load(out)["volume"].shape == (8, 8, 8, 1)
