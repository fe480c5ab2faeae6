"""JSON objects read by type: every complaint names the member, what was found and what was expected."""

import json
import re
import sys
from collections.abc import Callable
from typing import Any

from exporter.errors import BundleError
from exporter.marks import MANIFEST_NAME

_PATH = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")


class Node:
    """A JSON object whose members are fetched by type; every complaint names the member's path."""

    def __init__(self, value: Any, path: str) -> None:
        self._path = path
        self._value = self.expect(isinstance(value, dict), value, "an object", "")

    def expect(self, good: bool, value: Any, expected: str, key: str) -> Any:
        if not good:
            name = f"{self._path}.{key}".strip(".") or "the root"
            raise BundleError(f"{MANIFEST_NAME}: {name} is {_short(value)}, expected {expected}; export the site again")
        return value

    def has(self, key: str) -> bool:
        return key in self._value

    def get(self, key: str) -> Any:
        self.expect(self.has(key), "missing", "it to be there", key)
        return self._value[key]

    def string(self, key: str, pattern: re.Pattern | None = None, expected: str = "a string") -> str:
        value = self.get(key)
        good = isinstance(value, str) and (pattern is None or pattern.fullmatch(value) is not None)
        return self.expect(good, value, expected, key)

    def path(self, key: str) -> str:
        value = self.string(key, _PATH, "a relative path of A-Z a-z 0-9 . _ -")
        return self.expect(not {".", ".."} & set(value.split("/")), value, "a path without . and ..", key)

    def integer(self, key: str, least: int = 0) -> int:
        value = self.get(key)
        return self.expect(_is_integer(value, least), value, f"an integer of at least {least}", key)

    def number(self, key: str) -> float:
        value = self.get(key)
        return self.expect(_is_number(value), value, "a number", key)

    def boolean(self, key: str) -> bool:
        value = self.get(key)
        return self.expect(isinstance(value, bool), value, "true or false", key)

    def numbers(self, key: str, count: int) -> tuple[float, ...]:
        value = self.get(key)
        good = isinstance(value, list) and len(value) == count and all(map(_is_number, value))
        return tuple(self.expect(good, value, f"{count} numbers", key))

    def integers(self, key: str, count: int) -> tuple[int, ...]:
        value = self.get(key)
        good = isinstance(value, list) and len(value) == count and all(_is_integer(one, 1) for one in value)
        return tuple(self.expect(good, value, f"{count} integers of at least 1", key))

    def pairs(self, key: str, count: int) -> tuple[tuple[float, float], ...]:
        value = self.get(key)
        good = isinstance(value, list) and len(value) == count and all(isinstance(pair, list) and len(pair) == 2 and all(map(_is_number, pair)) for pair in value)
        return tuple(tuple(pair) for pair in self.expect(good, value, f"{count} pairs of numbers", key))

    def node(self, key: str) -> "Node":
        return Node(self.get(key), f"{self._path}.{key}".strip("."))

    def strings(self, key: str) -> dict[str, str]:
        value = self.get(key)
        good = isinstance(value, dict) and all(isinstance(v, str) for v in value.values())
        return self.expect(good, value, "an object of strings", key)

    def grids(self, key: str) -> tuple[tuple[int, int], ...]:
        value = self.get(key)
        good = isinstance(value, list) and all(isinstance(g, list) and len(g) == 2 and all(_is_integer(n, 1) for n in g) for g in value)
        return tuple(tuple(grid) for grid in self.expect(good, value, "pairs of integers of at least 1", key))

    def each(self, key: str, build: Callable[["Node"], Any], least: int = 0) -> tuple:
        value = self.get(key)
        self.expect(isinstance(value, list) and len(value) >= least, value, f"an array of at least {least}", key)
        return tuple(build(Node(item, f"{self._path}.{key}[{i}]".strip("."))) for i, item in enumerate(value))


def _is_integer(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_number(value: Any) -> bool:
    # An integer of 400 digits is JSON, but no double.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _short(value: Any) -> str:
    text = value if value == "missing" else json.dumps(value)
    return text if len(text) <= 60 else text[:59] + "…"
