"""README.md names every command, option and figure, and the networks it names can be had."""

import re

import click
import pytest

from exporter import cli
from exporter.figures import figure_types
from tests.conftest import COMMANDS, ROOT
from tests.conftest import cli as cli_of

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
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_gives_a_network(source, beside_a_network, model_cache):
    """With random weights, where published ones would be downloaded, and at one size, which is soonest checked."""
    published = not source.endswith(("lite0", ".onnx", ":make", ":network"))
    done = cli_of("overlay-layers", "--model", source, *(["--weights", "random", "--input-size", "64"] if published else []), cwd=".")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("name") and len(done.stdout.splitlines()) > 2
