"""What MkDocs reads beside `docs`: the README, the changelog, the API reference.

The reference has a page for each public module. Names are read from `__all__`
without importing the package, and mkdocstrings writes each from its docstring.
"""

import ast
import pathlib
import posixpath
import re

from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).parents[2]
OUTSIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}
LINK = re.compile(r"(\]\(|<img src=\")(?!\w+:|#)([^)\s\"#]+)(#[^)\s\"]*)?")
# Of the public face, those that stand on a page of their own, by where they are from.
TOGETHER = {
    "models": "The GANs",
    "modalities": "Kinds of samples",
    "core.inputs": "Inputs of generators",
}
# Public names that no `__all__` gives: other pages name them.
BESIDE = {
    "keras_gans.engine": ("input_gradient",),
    "keras_gans.core.recipe": ("Recipe",),
    "keras_gans.inference.nearest": ("nearest",),
    "keras_gans.serving.converting": ("convert",),
    "keras_gans.training.checkpoints": ("latest", "choose", "restore"),
}
# What people ask is answered by other pages first.
BELOW = "---\nsearch:\n  boost: 0.5\n---\n\n"
# Names that a package makes when they are asked for.
LAZY = {"keras_gans.demo": "keras_gans.serving.demo.demo"}


def init_of(module):
    """The syntax tree of a package or module of keras_gans."""
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


def names_of(module):
    """The literal entries of a module's `__all__`, in order."""
    for node in init_of(module).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return [e.value for e in node.value.elts if isinstance(e, ast.Constant)]
    return []


def origins(module):
    """The module that each name of a module is imported from."""
    return {
        alias.asname or alias.name: node.module
        for node in ast.walk(init_of(module))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def place_of(name):
    """Where mkdocstrings finds a public name: a module may have the same one."""
    module, _, own = name.rpartition(".")
    if ROOT.joinpath(*name.split(".")).with_suffix(".py").exists():
        name = f"{origins(module)[own]}.{own}"
    return LAZY.get(name, name)


def said(name):
    """A public name as users write it."""
    return re.sub(
        r"^keras_gans\.(training|inference)\.(?=callbacks|latent)", "keras_gans.", name
    )


def groups():
    """The pages of the reference: dict of a file's stem to (title, names)."""
    top, found = origins("keras_gans"), {}
    found["keras_gans"] = ("keras_gans", [])
    modules = []
    for name in sorted(names_of("keras_gans"), key=str.lower):
        source = top.get(name, "keras_gans")
        if name in ("models", "modalities", "core", "networks", "__version__"):
            continue
        if ROOT.joinpath(*source.split("."), name).is_dir():
            modules.append((name, f"{source}.{name}"))
            continue
        for part, title in TOGETHER.items():
            if source.startswith(f"keras_gans.{part}"):
                page = part.rpartition(".")[2]
                found.setdefault(page, (title, []))[1].append(f"keras_gans.{name}")
                break
        else:
            found["keras_gans"][1].append(f"keras_gans.{name}")
    for name, module in modules:
        sources = origins(module)
        below = [
            f"{module}.{public}"
            for public in names_of(module)
            if not sources.get(public, "").startswith("keras_gans.engine")
            and not public.isupper()
            and sources.get(public) != module  # a module of its own
        ]
        if below:
            found[name] = (said(module), below)
    beside = [f"{module}.{name}" for module, names in BESIDE.items() for name in names]
    found["beside"] = ("Other names", beside)
    return found


def on_config(config):
    """Puts the pages of the reference into the navigation."""
    pages = ["reference/index.md"]
    pages += [{title: f"reference/{page}.md"} for page, (title, _) in groups().items()]
    for entry in config.nav:
        if "API reference" in entry:
            entry["API reference"] = pages
    return config


def relinked(text, page):
    """Links of a file at the root, as those of a page of the site.

    Args:
        text: str, Markdown.
        page: str, the file.
    """

    def replace(match):
        start, path, anchor = match[1], match[2], match[3] or ""
        path = posixpath.normpath(path)
        if path in OUTSIDE:
            return f"{start}{OUTSIDE[path]}{anchor}"
        if path.startswith("docs/"):
            return f"{start}{path.removeprefix('docs/')}{anchor}"
        raise ValueError(f"{page} links to {path}, which is no page of the site")

    return LINK.sub(replace, text)


def on_files(files, config):
    """Adds the files at the root and the reference."""

    def add(path, text):
        files.append(File.generated(config, path, content=text))

    for outside, page in OUTSIDE.items():
        add(page, relinked((ROOT / outside).read_text(encoding="utf-8"), outside))
    contents = ["# API reference\n\nEvery public name, from its docstring.\n"]
    for page, (title, names) in groups().items():
        body = "\n".join(
            f"::: {place_of(name)}\n    options:\n      heading: {said(name)}\n"
            f"      toc_label: {name.rpartition('.')[2]}\n"
            for name in names
        )
        add(f"reference/{page}.md", f"{BELOW}# {title}\n\n{body}")
        links = " · ".join(
            f"[{name.rpartition('.')[2]}]({page}.md#{place_of(name)})" for name in names
        )
        contents.append(f"## [{title}]({page}.md)\n\n{links}\n")
    add("reference/index.md", BELOW + "\n".join(contents))
    return files


def on_page_markdown(markdown, page, config, files):
    """A link by the name of a file shows the title of its page."""

    def titled(match):
        path = posixpath.join(posixpath.dirname(page.file.src_uri), match[1])
        file = files.get_file_from_path(posixpath.normpath(path))
        if file is None:
            return match[0]
        title = re.search(r"^# (.+)$", file.content_string, re.MULTILINE)
        return f"[{title[1]}]({match[1]}" if title else match[0]

    return re.sub(r"\[(?:[\w/]+\.md)\]\(([\w/.]+\.md)", titled, markdown)


def on_page_content(html, page, config, files):
    """Leaves the source code of the reference out of the search."""
    source = '<details class="mkdocstrings-source"'
    return html.replace(source, f"{source} data-search-exclude")
