"""The colour maps of the page are those of matplotlib."""

import json
import shutil
import subprocess
from pathlib import Path

import matplotlib
import numpy as np
import pytest

MODULE = Path(__file__).parents[1] / "site_template" / "js" / "colormaps.js"
PRINT = "const { COLORMAPS, colormap } = await import(process.argv[1]); console.log(JSON.stringify(COLORMAPS.map((name) => [name, [...colormap(name)]])));"
OURS = ["diverging"]
# In steps of 255; between 17 stops the lines cut the two kinks of cividis.
TOLERANCE = {"inferno": 8, "viridis": 8, "cividis": 12}


@pytest.fixture(scope="module")
def colors() -> dict[str, np.ndarray]:
    """{name: (256, 3) bytes} as the page computes them."""
    node = shutil.which("node")
    assert node, "node is not installed; install Node.js 20.19 or newer, then run make test"
    done = subprocess.run([node, "--input-type=module", "--eval", PRINT, MODULE.as_uri()], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {name: np.array(values).reshape(256, 3) for name, values in json.loads(done.stdout)}


@pytest.mark.parametrize("name", TOLERANCE)
def test_a_map_has_the_colours_of_matplotlib(colors, name):
    expected = np.rint(matplotlib.colormaps[name](np.arange(256))[:, :3] * 255)
    errors = np.abs(colors[name] - expected)
    assert errors.max() <= TOLERANCE[name]
    assert errors.mean() < 2


def test_every_other_map_is_known_to_be_ours(colors):
    assert [name for name in colors if name not in TOLERANCE] == OURS
