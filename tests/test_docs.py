"""README.md names every command, option and figure, and the networks it names can be had."""

import re
import sys

import click
import pytest

from exporter import cli
from exporter.figures import figure_types
from tests.conftest import COMMANDS, ROOT, invoke
from tests.models_help import unconverted  # a fixture

README = ROOT / "README.md"
OPTIONS = [
    (command, name)
    for command, function in COMMANDS.items()
    for parameter in getattr(cli, function).params
    if isinstance(parameter, click.Option)
    for name in parameter.opts
]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_documented(command):
    assert re.search(rf"`[^`\n]*{command}\b|^\s*{command}\b", README.read_text("utf-8"), re.M)


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_options_are_documented(command, option):
    assert re.search(rf"(?<![\w-]){option}(?![\w-])", README.read_text("utf-8")), f"{option} of {command} is not in README.md"


@pytest.mark.parametrize("figure", figure_types())
def test_figures_are_documented(figure):
    assert f"`{figure}`" in README.read_text("utf-8")


SOURCES = re.findall(r"^\| `([^`]+)` \| [^|]+ \| [^|]+ \|$", README.read_text("utf-8").split("| `--model` | what it is")[1].split("\n\n")[0], re.M)


def test_the_table_of_sources_is_whole():
    assert SOURCES == ["efficientnet-lite0", "resnet18", "timm:resnet18", "net.onnx", "mypackage.nets:make", "network.py:network"]


@pytest.fixture
def beside_a_network(tmp_path, tiny_network, monkeypatch):
    """A working directory with the files and modules that the README's table names."""
    network = (ROOT / "examples" / "own_network" / "network.py").read_text("utf-8")
    (tmp_path / "network.py").write_text(network, "utf-8")
    (tmp_path / "mypackage").mkdir()
    (tmp_path / "mypackage" / "nets.py").write_text(network.replace("def network()", "def make()"), "utf-8")
    (tmp_path / "net.onnx").write_bytes(tiny_network.read_bytes())
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_gives_a_network(source, beside_a_network, unconverted):
    """With random weights where published ones would be downloaded; nothing is converted, which tests of networks do."""
    named = not source.endswith((".onnx", ":make", ":network"))
    done = invoke("overlay-layers", "--model", source, *(["--weights", "random"] if named else []))
    notes = [line for line in done.stderr.splitlines() if not line.startswith("Converting ")]
    assert (done.exit_code, len(notes)) == (0, int(named)), done.stderr
    assert all(note.endswith(" runs in torch, which is slower: the test wants none.") for note in notes)
    assert done.stdout.startswith("name") and len(done.stdout.splitlines()) > 2
