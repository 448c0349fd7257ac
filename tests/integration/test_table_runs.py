"""The command line with tables: train, synthesize, evaluate, go on."""

import csv
import json

from command_line import call
import numpy as np
import pytest

import keras_gans as kg

TINY = ["--g_widths=8", "--d_widths=8", "--latent_dim=4", "--batch_size=10"]
TINY += ["--log_every=1", "--checkpoint_every=2", "--sample_every=2"]


def write(path, n=60, **more):
    rng = np.random.default_rng(0)
    sick = rng.random(n) < 0.3
    held = {
        "age": rng.integers(20, 80, n),
        "value": np.where(sick, rng.normal(5, 1, n), rng.normal(0, 1, n)).round(1),
        "sex": rng.choice(["f", "m", ""], n),
        "class": np.where(sick, "sick", "well"),
        **more,
    }
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(held)
        writer.writerows(zip(*held.values(), strict=True))
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    data = write(folder / "rows.csv")
    words = [f"--data={data}", f"--run_dir={folder / 'run'}", "--steps=4", *TINY]
    words.append("--ranges=age=0:120,value=:9.5")
    assert not call("train", "ctgan", *words)
    return folder / "run"


def test_a_table_is_written(run, tmp_path, capsys):
    out = tmp_path / "made.csv"
    words = ("synthesize", run, "--rows=70")
    assert not call(*words, f"--out={out}", "--seed=3")
    assert f"70 rows of step 4, seed 3: {out}" in capsys.readouterr().out
    gan = kg.load(run)
    with open(out, newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["age", "value", "sex", "class"] and len(rows) == 70
    made = gan.table.decode_rows(gan.sample(70, seed=3))
    assert [int(row["age"]) for row in rows] == [row["age"] for row in made]
    assert [row["sex"] for row in rows] == [row["sex"] or "" for row in made]
    assert kg.metrics.violations(gan.table, out) == 0
    assert call(*words, f"--out={out}")  # it stands there
    assert "overwritten" in capsys.readouterr().err
    out = tmp_path / "sick.csv"
    assert not call(*words, f"--out={out}", "--where=class=sick", "--tries=1000")
    with open(out, newline="") as file:
        assert {row["class"] for row in csv.DictReader(file)} == {"sick"}
    for flags, told in (
        (["--out=x.csv", "--where=class=ill"], "Expected|categories"),
        (["--out=x.csv", "--where=sick"], "COLUMN=CATEGORY"),
        (["--out=x.png"], ".csv"),
    ):
        assert call(*words, *flags)
        err = capsys.readouterr().err
        assert any(part in err for part in told.split("|")), err
    for out in ("x.csv", "x"):
        assert call("sample", run, f"--out={out}")
        err = capsys.readouterr().err
        assert f"keras-gans synthesize {run} --out=rows.csv" in err


def test_a_run_keeps_its_table(run, capsys):
    config = json.loads((run / "config.json").read_text())
    table = config["arguments"]["table"]["config"]
    names = [name for name, _ in table["columns"]]
    assert names == ["age", "value", "sex", "class"]
    assert config["held_out"] == 0.2
    assert kg.load(run).table.bounds("age") == (0, 120)
    assert kg.load(run).table.bounds("value")[1] == 9.5
    assert (run / "reals.png").is_file() and (run / "samples").is_dir()
    data = run.parent / "rows.csv"
    before = data.read_bytes()
    write(data, 61)
    words = ["train", "ctgan", f"--run_dir={run}", "--resume", "--steps=6"]
    assert call(*words) and "has changed" in capsys.readouterr().err
    data.write_bytes(before)


def test_tables_that_cannot_be_learned_are_told_of(tmp_path, capsys):
    words = ["train", "ctgan", f"--run_dir={tmp_path / 'run'}", *TINY]
    path = write(tmp_path / "a.csv", id=[f"p{i}" for i in range(60)])
    assert call(*words, f"--data={path}")
    assert "'id' has another text in each" in capsys.readouterr().err
    path = write(tmp_path / "b.csv", gone=[""] * 60)
    assert call(*words, f"--data={path}")
    assert "'gone' is empty" in capsys.readouterr().err
    (tmp_path / "c.csv").write_text("x,y\n1,2\n3\n")
    assert call(*words, f"--data={tmp_path / 'c.csv'}")
    assert "line 3 has 1 cells" in capsys.readouterr().err
    assert call(*words, f"--data={tmp_path / 'd.csv'}")
    assert "Did you mean" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.full
def test_a_run_goes_on_as_if_it_had_not_stopped(run, tmp_path, capsys):
    data = f"--data={run.parent / 'rows.csv'}"
    for name, steps in (("a", 8), ("b", 4)):
        words = [data, f"--run_dir={tmp_path / name}", f"--steps={steps}", *TINY]
        assert not call("train", "ctgan", *words)
    words = [f"--run_dir={tmp_path / 'b'}", "--resume", "--steps=8"]
    assert not call("train", "ctgan", *words)
    a, b = (kg.load(tmp_path / name) for name in "ab")
    for x, y in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(x, y)
    np.testing.assert_array_equal(a.sample(5), b.sample(5))


@pytest.mark.full
def test_a_run_is_evaluated(run, tmp_path, capsys):
    out = tmp_path / "scores.jsonl"
    assert not call("evaluate", run, f"--out={out}")
    told = capsys.readouterr().out
    assert "independent columns" in told and "classifiers tell 'class'" in told
    assert "--rows=10000 --out=rows.csv" in told and "--resume --" in told
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [x["table"] for x in lines] == ["gan", "independent", "copula", "real"]
    assert all(x["violations"] == 0 for x in lines) and lines[3]["copies"] == 1
    assert lines[0]["test_rows"] == 12 and lines[0]["label"] == "class"
    assert call("evaluate", run, "--metrics=fid")
    assert "Tables are scored" in capsys.readouterr().err
