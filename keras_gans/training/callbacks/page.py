"""A web page of how a training goes, in one file that needs no server."""

import html
import json
import os
import pathlib
import string
import time
import urllib.parse

from keras_gans.training.callbacks.steps import ENDLESS, StepCallback
from keras_gans.utils import files
from keras_gans.utils.types import Path
from keras_gans.utils.validation import is_int

MAX_PLAYERS = 16
MAX_GRIDS = 60  # past grids shown, evenly spread where there are more
ROWS = 12  # lines of the log
TAIL = 2**16  # bytes at the end of the log that hold them

# It runs nothing and loads nothing but pictures and sounds.
PAGE = string.Template("""\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
img-src 'self' file:; media-src 'self' file:; style-src 'unsafe-inline'">
<title>$title</title>
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem;
  margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { margin-bottom: 0; font-size: 1.6rem; }
h2 { margin-top: 2rem; font-size: 1.15rem; }
p.state { margin-top: 0; opacity: .75; }
img { max-width: 100%; }
img.grid { min-width: min(24rem, 100%); }
img.plot { background: white; }
figure { margin: 0; }
figcaption { font-size: .85rem; opacity: .75; }
.wide { overflow-x: auto; }
.past { display: flex; gap: 1rem; overflow-x: auto;
  scroll-snap-type: x proximity; padding-bottom: .5rem; }
.past figure { flex: none; scroll-snap-align: start; }
.past img { height: 14rem; max-width: none; min-width: 0; }
table { border-collapse: collapse; font-size: .85rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: .15rem .7rem .15rem 0; text-align: left;
  vertical-align: top; border-bottom: 1px solid #8884; }
th { overflow-wrap: normal; }
td { min-width: 5rem; }
.wide td { min-width: 0; white-space: nowrap; }
td.number, th.number { text-align: right; }
</style>
<h1>$title</h1>
<p class="state">$state</p>
$body
</html>
""")


class ProgressPage(StepCallback):
    """Writes an HTML page: what is trained, sample grids, plot and log.

    The page is one file beside what it shows. Its links are relative, so that
    it opens from the disk, and from wherever the directory is moved to. It
    runs no script and loads nothing from elsewhere. It is written from what
    lies in the directory, so a resumed run goes on with it.

    Put it after the callbacks that write what it shows.

    Args:
        path: str or path of the page, "index.html" of a run directory.
        every: int, steps between two writings; it is also written at the end
            of `fit`.
        config: dict of what is trained: name to value, or to a dict of them.
        samples: str or path of the directory of `SampleGrid`.
        plot: str or path of the PNG of `LossPlot`.
        log: str or path of the file of `JsonlLogger`.

    Raises:
        ValueError: `every` is no positive int.

    Example:

    ```python
    grids = keras_gans.callbacks.SampleGrid("run/samples", every=100)
    page = keras_gans.callbacks.ProgressPage(
        "run/index.html", config={"data": "emoji"}, samples="run/samples"
    )
    gan.fit(dataset, epochs=2, callbacks=[grids, page])
    ```
    """

    def __init__(
        self,
        path: Path,
        every: int = 100,
        config: dict | None = None,
        samples: Path | None = None,
        plot: Path | None = None,
        log: Path | None = None,
    ):
        super().__init__(every)
        self.path = pathlib.Path(path)
        self.config = dict(config or {})
        self.samples = samples
        self.plot = plot
        self.log = log
        self._ended = False

    def on_train_begin(self, logs: dict | None = None) -> None:
        super().on_train_begin(logs)
        self.epoch = 0
        self._ended = False

    def after_step(self, logs: dict) -> None:
        self.write()

    def on_train_end(self, logs: dict | None = None) -> None:
        self._ended = True
        self.write()

    def write(self) -> None:
        """Writes the page of this step."""
        if not self.model.engine.is_chief:
            return
        parts = [
            self._grids(),
            self._plot(),
            self._metrics(),
            _section("What is trained", _definitions(self._about())),
        ]
        text = PAGE.substitute(
            title=_escaped(self._title()),
            state=_escaped(self._state()),
            body="\n".join(part for part in parts if part),
        )
        with files.replacing(self.path) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def _title(self):
        """What is trained, on what and where."""
        title = f"{type(self.model).__name__} in {self.path.resolve().parent.name}"
        data = self.config.get("data")
        return title if data is None else f"{title}, trained on {data}"

    def _state(self):
        when = time.strftime("%Y-%m-%d %H:%M:%S")
        total = self.params.get("epochs", "?")
        of = "" if total == ENDLESS else f" of {total}"
        state = "Training ended" if self._ended else "Training"
        return f"{state}: step {self.step}, epoch {self.epoch + 1}{of}; written {when}."

    def _about(self):
        model = self.model
        return {
            "model": type(model).__name__,
            "samples": model.modality,
            **{
                f"parameters of {name}": f"{network.count_params():,}"
                for name, network in model.networks.items()
            },
            **self.config,
        }

    def _grids(self):
        """The newest sample grid, and those before, newest first."""
        if self.samples is None:
            return ""
        grids = sorted(pathlib.Path(self.samples).glob("step-*.png"))[::-1]
        if not grids:
            return ""
        newest, *past = grids
        legend = f"<p>{_escaped(self.model.preview_legend)}</p>\n"
        shown = legend + self._figure(newest) + self._players(newest)
        text = _section("Newest samples", shown)
        # Evenly spread, the first of all among them.
        shown = past
        if len(past) > MAX_GRIDS:
            last = len(past) - 1
            places = [i * last // (MAX_GRIDS - 1) for i in range(MAX_GRIDS)]
            shown = [past[i] for i in places]
        if shown:
            figures = "\n".join(map(self._figure, shown))
            title = "Samples before, newest first"
            if len(shown) < len(past):
                title += f" ({len(shown)} of {len(past)})"
            text += _section(title, f'<div class="past">\n{figures}\n</div>')
        return text

    def _figure(self, path):
        number = path.stem.removeprefix("step-").lstrip("0") or "0"
        link = self._link(path)
        return (
            f'<figure><a href="{link}"><img class="grid" loading="lazy" '
            f'src="{link}" alt="samples"></a><figcaption>step '
            f"{_escaped(number)}</figcaption></figure>"
        )

    def _players(self, grid):
        """The sounds beside a grid, to be listened to."""
        sounds = list(grid.parent.glob(f"{grid.stem}-*.wav"))
        sounds.sort(key=lambda path: (len(path.name), path.name))
        players = [
            f'<audio controls preload="none" src="{self._link(path)}"></audio>'
            for path in sounds[:MAX_PLAYERS]
        ]
        return f'<p class="sounds">{" ".join(players)}</p>' if players else ""

    def _plot(self):
        if self.plot is None or not pathlib.Path(self.plot).is_file():
            return ""
        link = self._link(self.plot)
        image = f'<img class="plot" src="{link}" alt="losses">'
        return _section("Losses", f'<a href="{link}">{image}</a>')

    def _link(self, path):
        """The relative address of a file, for an attribute."""
        relative = pathlib.Path(os.path.relpath(path, self.path.parent))
        return _escaped(urllib.parse.quote(os.fsencode(relative.as_posix())))

    def _metrics(self):
        """The last lines of the log, newest first."""
        if self.log is None or not pathlib.Path(self.log).is_file():
            return ""
        rows = [row for row in map(_parsed, _last_lines(self.log)) if row][::-1]
        if not rows:
            return ""
        names = list(dict.fromkeys(name for row in rows for name in row))
        names = [name for name in names if name not in ("time", "records")]
        lines = [_line("th", [(name, name) for name in names])]
        # Epochs count from 0 in the log, and from 1 for readers.
        shown = [
            {**row, "epoch": row["epoch"] + 1} if is_int(row.get("epoch")) else row
            for row in rows
        ]
        lines += [
            _line("td", [(name, row.get(name, "")) for name in names]) for row in shown
        ]
        table = "\n".join(["<table>", *lines, "</table>"])
        link = f'<p>All of them: <a href="{self._link(self.log)}">'
        link += f"{_escaped(pathlib.Path(self.log).name)}</a></p>"
        return _section("Newest metrics", f'<div class="wide">{table}</div>{link}')


def _last_lines(path):
    """The last whole lines of a file, however long it is."""
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        start = max(0, size - TAIL)
        file.seek(start)
        lines = file.read().decode("utf-8", "replace").split("\n")
    # The first may have lost its beginning, the last is not ended.
    return lines[1 if start else 0 : -1][-ROWS:]


def _parsed(line):
    """What a line of the log holds, or `None` where it is damaged."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def _escaped(value):
    # Names of files may be no UTF-8.
    text = str(value).encode("utf-8", "replace").decode()
    return html.escape(text, quote=True)


def _section(title, content):
    return f"<h2>{_escaped(title)}</h2>\n{content}\n"


def _line(tag, cells):
    text = "".join(
        f"<{tag}{_kind(name)}>{_escaped(_shown(value))}</{tag}>"
        for name, value in cells
    )
    return f"<tr>{text}</tr>"


def _kind(name):
    return "" if name == "kind" else ' class="number"'


def _shown(value):
    return f"{value:.5g}" if isinstance(value, float) else value


def _definitions(values):
    """A table of names and values; a dict among them is one of its own."""
    rows = []
    for name, value in values.items():
        if value is None:  # it was not given
            continue
        if isinstance(value, bool):
            value = "on" if value else "off"
        elif isinstance(value, (list, tuple)):
            value = ", ".join(map(str, value))
        content = _definitions(value) if isinstance(value, dict) else _escaped(value)
        rows.append(f"<tr><th>{_escaped(name)}</th><td>{content}</td></tr>")
    return "\n".join(["<table>", *rows, "</table>"])
