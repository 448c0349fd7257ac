"""Tables: what is found of columns, what comes back, and what is refused."""

import datetime
import json

import numpy as np
import pytest

import keras_gans as kg
from keras_gans.data import fit_table
from keras_gans.modalities import columns

N = 60


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    start = datetime.date(2020, 1, 31)
    low = rng.random(N) < 0.4
    return {
        "age": [None if i % 10 == 0 else 20 + i for i in range(N)],
        "weight": np.where(low, rng.normal(3, 0.2, N), rng.normal(80, 5, N)).round(1),
        "born": [str(start + datetime.timedelta(days=7 * i)) for i in range(N)],
        "seen": [f"2021-03-04 10:{i:02}:00" for i in range(N)],
        "sex": ["f", "m"] * (N // 2),
        "smokes": [True, False, None] * (N // 3),
        "children": [i % 4 for i in range(N)],
        "grade": ["1", "?"] * (N // 2),
    }


@pytest.fixture(scope="module")
def table(data):
    return kg.Table.fit(data, modes=3)


def test_columns_are_found(data, table):
    rules = {name: dict(own) for name, own in table.rules}
    found = dict(table.columns)
    assert {n: r["kind"] for n, r in rules.items()} == {
        "age": "int",
        "weight": "float",
        "born": "day",
        "seen": "date",
        "sex": "str",
        "smokes": "bool",
        "children": "int",
        "grade": "int",
    }
    assert found["age"][-1] is None and rules["age"]["decimals"] == 0
    assert (rules["age"]["low"], rules["age"]["high"]) == (21, 79)
    assert rules["weight"]["decimals"] == 1
    assert found["smokes"] == ("False", "True", None)
    assert rules["smokes"]["counts"] == (N // 3,) * 3
    assert found["children"] == ("0", "1", "2", "3") and found["grade"] == ("1", None)
    assert np.isclose(sum(mode[2] for mode in found["weight"]), 1)


def test_modes_are_found():
    rng = np.random.default_rng(0)
    light, heavy = rng.normal(3, 0.5, 600), rng.normal(80, 5, 1400)
    modes = columns.mixture(np.concatenate([light, heavy]), 10)
    near = sum(mode[2] for mode in modes if mode[0] < 20)
    assert near == pytest.approx(0.3, abs=0.02)
    # Modes of a heap share its mean (its standard error is 0.02 and 0.13).
    own = [[m for m in modes if (m[0] < 20) == low] for low in (True, False)]
    for part, mean in zip(own, (3, 80), strict=True):
        weights = np.array([mode[2] for mode in part])
        found = (weights * [mode[0] for mode in part]).sum() / weights.sum()
        assert found == pytest.approx(mean, abs=0.5)
    assert columns.mixture(np.full(9, 2.5), 10) == [(2.5, 1.0, 1.0)]
    assert columns.mixture(light, 1)[0][0] == pytest.approx(light.mean())


def test_rows_come_back_as_they_were(data, table):
    made = table.decode_table(table.encode_table(data))
    assert made["age"] == data["age"] and made["sex"] == data["sex"]
    assert made["smokes"] == data["smokes"] and made["children"] == data["children"]
    assert made["born"] == data["born"] and made["seen"] == data["seen"]
    assert made["grade"] == [1, None] * (N // 2)
    np.testing.assert_allclose(made["weight"], data["weight"], atol=1e-9)
    # As text of a file, too.
    text = table.to_csv(made)
    assert text.splitlines()[1].startswith(",") and text.count("\n") == N + 1


def test_modes_are_drawn_by_their_odds():
    table = kg.Table({"x": [(-1.0, 1.0, 0.25), (1.0, 1.0, 0.75)]})
    rows = table.encode_table({"x": [0.0] * 4000}, seed=1)
    # Both densities are alike at 0: the weights decide; 5 deviations.
    assert abs(rows[:, 2].mean() - 0.75) < 5 * np.sqrt(0.75 * 0.25 / 4000)
    assert (rows[rows[:, 1] == 1, 0] == 0.25).all()
    assert (rows[rows[:, 2] == 1, 0] == -0.25).all()
    assert (table.encode_table({"x": [0.0] * 9})[:, 2] == 1).all()


def test_what_is_decoded_keeps_to_its_rules():
    columns = {"a": [(0.0, 10.0)], "b": [(0.5, 1.0), None]}
    rules = {"a": {"low": 0.5, "high": 7.7, "decimals": 0, "kind": "int"}}
    table = kg.Table(columns, rules)
    rows = np.random.default_rng(0).uniform(-1, 1, (500, 4)).astype("float32")
    made = table.decode_table(rows)
    assert set(made["a"]) <= set(range(1, 8)) and {1, 7} <= set(made["a"])
    gone = rows[:, 3] > rows[:, 2]
    assert [x is None for x in made["b"]] == gone.tolist()
    assert kg.metrics.violations(table, made) == 0
    assert kg.metrics.violations(table, {"a": [0, 1.5, 8], "b": [1, 1, 1]}) == 3


def test_a_table_is_plain_data(table):
    config = json.loads(json.dumps(table.get_config()))
    again = kg.Table.from_config(config)
    assert again == table and hash(again) == hash(table)


def test_rows_are_served_as_json(data, table):
    rows = table.encode_table(data)[:12]
    served = [json.loads(x) for x in np.asarray(table.encode_in_graph(rows))]
    made = table.decode_rows(rows)
    assert served == made and [*served[0]] == [*made[0]]


def test_dates_are_served_as_text():
    """Of leap years and others, on both sides of 1970 and of each year's ends."""
    days = [datetime.date(1, 1, 1), datetime.date(9999, 12, 31)]
    for year in (1600, 1899, 1900, 1968, 1969, 1970, 1999, 2000, 2001, 2024, 2100):
        ends = [(1, 1), (2, 28), (3, 1), (7, 31), (8, 1), (12, 31)]
        days += [datetime.date(year, *end) for end in ends]
    days += [datetime.date(year, 2, 29) for year in (1600, 1968, 2000, 2024)]
    since = np.array([(day - datetime.date(1970, 1, 1)).days for day in days])
    # Float32 holds such shares of 3 million days to a fifth of a day.
    day = kg.Table({"day": [(0.0, 750_000.0)]}, {"day": {"kind": "day"}})
    made = [json.loads(x) for x in day.encode_in_graph(since[:, None] / 3e6).numpy()]
    assert made == [{"day": one.isoformat()} for one in days]
    date = kg.Table({"t": [(0.0, 1e9)]}, {"t": {"kind": "date", "decimals": 0}})
    rows = np.random.default_rng(0).uniform(-1, 1, (300, 1)).astype("float32")
    made = [json.loads(x) for x in date.encode_in_graph(rows).numpy()]
    assert made == date.decode_rows(rows)


def test_files_are_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('name;x\n"a;b";1.5\nc;\n', encoding="utf-8")
    assert columns.read(path) == {"name": ["a;b", "c"], "x": ["1.5", ""]}
    read = kg.Table({"x": [(0, 1), None], "name": ["a;b", "c"]}).decode(
        path.read_bytes()
    )
    np.testing.assert_array_equal(read, [[0.375, 1, 0, 1, 0], [0, 0, 1, 0, 1]])
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"x": [1, None], "t": pandas.to_datetime(["2020-01-02"] * 2)}
    )
    held = columns.read(frame)
    assert np.isnan(held["x"][1]) and columns.number(held["t"][0], "day") == 18263
    twice = pandas.DataFrame([[1, 2]], columns=["x", "x"])
    with pytest.raises(ValueError, match="'x' 2 times"):
        columns.read(twice)


def test_an_index_that_is_left_out_is_told():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"x": [1.5, 2.5, 3.5], "id": [7, 8, 9]})
    for plain in (frame, frame[frame["x"] > 2]):  # numbers of rows
        assert kg.Table.fit(plain).names == ["x", "id"]
    dated = frame.set_index(pandas.to_datetime(["2020-01-01"] * 3))
    for fit in (kg.Table.fit, fit_table):
        for other, told in ((frame.set_index("id"), "index 'id'"), (dated, "datetime")):
            with pytest.warns(UserWarning, match=f"{told}.*reset_index") as caught:
                assert "x" in fit(other).names
            assert len(caught) == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty, without a head"),
        (b"x,y\n", "a head and no rows"),
        (b"x,x\n1,2\n", "'x' 2 times"),
        (b"x,\n1,2\n", "none of column 2.*index=False"),
        (b"x,y\n1,2\n3\n", "line 3 has 1 cells, and the head 2"),
        (b'x,y\n1,2\n1,"2\n3,4\n', "begins in line 3.*Close"),
        (b"x,y\n\xff\xfe,2\n", "Save the file in UTF-8"),
        (b"x\0,y\n1,2\n", "zero bytes"),
    ],
)
def test_damaged_files_are_named(tmp_path, data, message):
    path = tmp_path / "rows.csv"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message) as caught:
        kg.Table.fit(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    (tmp_path / "rows.csv").write_text("x\n1\n")
    with pytest.raises(ValueError, match=r"Did you mean rows\.csv"):
        kg.Table.fit(tmp_path / "row.csv")


DAYS = [f"2020-04-{i:02d}" for i in range(1, 31)]


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ({"x": [None, "?", float("nan")]}, {}, r"'x' is empty.*leave_out=\['x'\]"),
        ({"x": []}, {}, "0 rows"),
        ({}, {}, "0 columns"),
        ({"x": [1, 2], "y": [1]}, {}, "2 of 'x', 1 of 'y'"),
        ([{"x": 1}, {"y": 1}], {}, r"row 2.*'x'"),
        (7, {}, "DataFrame"),
        (
            {"id": [f"p{i}" for i in range(99)]},
            {},
            "'id' has another text in each.*'p0'",
        ),
        ({"x": list("abcab")}, {"most": 2}, "'x' has 3 categories"),
        ({"x": ["1", "2", "b"]}, {"numbers": ["x"]}, "'b' in row 3"),
        ({"x": [1.5, 2.5]}, {"numbers": ["y"]}, "`numbers` names columns"),
        ({"x": [1.5, 2.5]}, {"numbers": "x"}, r"Write \['x'\]"),
        ({"x": [1, 2]}, {"numbers": ["x"], "categories": ["x"]}, "both for 'x'"),
        ({"x": [1, 2]}, {"leave_out": ["x"]}, "left out"),
        ({"x": [1.5, 2.5, 3.5]}, {"ranges": {"x": (5, None)}}, r"\[1.5, 3.5\]"),
        ({"x": [1.5, 2.5, 3.5]}, {"ranges": {"x": (5, 10)}}, "some of its data"),
        ({"x": [1.5, 2.5, 3.5]}, {"ranges": {"x": (3, 2)}}, "low <= high"),
        ({"x": [1.5, 2.5, 3.5]}, {"ranges": {"x": (-np.inf, 9)}}, "finite numbers"),
        ({"x": [1.5, 2.5, 3.5]}, {"ranges": {"x": ("1", 9)}}, "finite numbers"),
        ({"x": [1.5, 2.5, 3.5]}, {"ranges": [("x", 1, 2)]}, "`ranges` is a dict"),
        ({"x": DAYS}, {"ranges": {"x": (None, 99)}}, r"dates.*\[2020-04-01, 2020"),
        ({"x": DAYS}, {"ranges": {"x": ("2020-05-01", None)}}, "some of its data"),
        ({"x": [1.5, 2.5]}, {"leave_out": 7}, "`leave_out` is a list"),
        ({"x": [1.5, 2.5]}, {"seed": -1}, "`seed`"),
        ({"": [1.5, 2.5]}, {}, "Each column has a name.*column 1"),
        ({"x": [1, 2, np.inf] * 5}, {}, "finite numbers.*'inf' in row 3, and 5 in all"),
        ({"x": ["1", "2", "-inf"]}, {}, "finite.*categories="),
        ({"x": [10**400]}, {}, "finite numbers.*in row 1"),
        ({"x": ["a", "b"]}, {"ranges": {"x": (0, 1)}}, "columns of numbers"),
        ({"x": [(1, 2), (3, 4)]}, {}, "a tuple in row 1"),
        ({"x": [*map(str, range(30)), "", "-"]}, {}, "1 cells.*'-' in row 32"),
        ({"x": [*np.arange(30.0), np.inf]}, {}, "finite.*'inf' in row 31, and 1 in"),
        ({"x": [*DAYS, "2020-02-30"]}, {}, r"dates, but for.*row 31.*categories=\['x'"),
        ({"x": [f"{i},5" for i in range(30)]}, {}, "decimal commas.*'0,5' in row 1"),
        ({"x": [f"{i}.1.20" for i in range(30)] * 2}, {}, "dates.*Write them as"),
    ],
)
def test_columns_that_cannot_be_learned_are_named(data, options, message):
    with pytest.raises(ValueError, match=message):
        kg.Table.fit(data, modes=1, **options)


def test_texts_that_look_like_numbers_are_categories_where_one_says_so():
    cells = [*map(str, range(30)), "2B"] * 2
    table = kg.Table.fit(
        {"x": cells, "size": [*"123456", "M"] * 8 + [*"123456"]}, categories=["x"]
    )
    assert len(table.categories["x"]) == 31 and len(table.categories["size"]) == 7
    # Python reads "12_1" as 121.
    codes = [f"{i % 7}_{i % 3}" for i in range(60)]
    table = kg.Table.fit({"code": codes, "none": ["a", "inf"] * 30}, categories=None)
    assert set(table.categories["code"]) == set(codes)
    assert table.decode_rows(
        table.encode_table({"code": ["2_1"], "none": ["inf"]})
    ) == [{"code": "2_1", "none": "inf"}]


def test_ranges_of_numbers_and_dates():
    data = {
        "x": [1.5, 2.5, 3.5],
        "day": DAYS[:3],
        "time": [f"{d} 10:30" for d in DAYS[:3]],
    }
    late = datetime.datetime(2031, 1, 1, 12)
    ranges = {"x": (0, None), "day": ("2019-01-01", late.date()), "time": (None, late)}
    table = kg.Table.fit(data, modes=1, ranges=ranges)
    assert table.bounds("x") == (0, 3.5)
    ends = {
        name: [columns.date(x, kind) for x in table.bounds(name)]
        for name, kind in (("day", "day"), ("time", "date"))
    }
    assert ends["day"] == ["2019-01-01", "2031-01-01"]
    assert ends["time"] == ["2020-04-01 10:30:00", "2031-01-01 12:00:00"]
    text = "x=0:,day=2019-01-01:2031-01-01,time=:2031-01-01 12:00:00"
    assert fit_table(data, ranges=text, numbers=["x"]).rules == table.rules
    for bad in ("x", "x=1", "x=a:b", "=1:2", "x=nan:1"):
        with pytest.raises(ValueError, match="COLUMN=LOW:HIGH"):
            fit_table(data, ranges=bad)


@pytest.mark.parametrize(
    "rules",
    [
        {"y": {"low": 0}},
        {"x": {"least": 0}},
        {"x": {"low": 2, "high": 1}},
        {"x": {"decimals": -1}},
        {"x": {"kind": "text"}},
        {"x": {"counts": [1]}},
        {"k": {"counts": [1, 2, 3]}},
        {"k": {"counts": [0, 0]}},
    ],
)
def test_bad_rules_are_refused(rules):
    with pytest.raises(ValueError, match="`rules` gives"):
        kg.Table({"x": [(0, 1)], "k": ["a", "b"]}, rules)
