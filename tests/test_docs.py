"""README.md names every command, option and figure."""

import re

import click
import pytest

from exporter import cli
from exporter.figures import figure_types
from tests.conftest import COMMANDS, ROOT

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
