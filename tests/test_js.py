"""The browser code: its types by tsc, its behaviour by node's own test runner."""

import shutil
import subprocess
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
TSC = TESTS / "node_modules" / "typescript" / "bin" / "tsc"
FILES = sorted(path.name for path in (TESTS / "js").glob("*.test.js"))


@pytest.fixture(scope="session")
def node() -> str:
    """Where node is; a checkout without it fails, for a green run must mean that the browser code was tested."""
    found = shutil.which("node")
    assert found, "node is not installed; install Node.js 20.19 or newer, then run make test"
    assert TSC.is_file(), "tests/node_modules is missing; run make test, which fetches it with npm"
    return found


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


def test_types_are_right(node):
    run(node, str(TSC), "--project", "tsconfig.json")


@pytest.mark.parametrize("file", FILES)
def test_node_tests_pass(node, file):
    run(node, "--test", f"js/{file}")


def test_there_are_node_tests():
    assert "similarity.test.js" in FILES
