"""The browser's modules as files that import each other: which of them a figure needs, and all of them under bare names."""

import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

PREFIX = "overlay-export/"
_SPECIFIER = re.compile(r"""(\bfrom\s*|\bimport\s*\(?\s*)(["'`])(\.\.?/[^"'`$]*)""")


def needed_modules(folder: Path, starts: Iterable[str]) -> list[str]:
    """The paths in a folder of some modules and of all that they import, sorted."""
    found, waiting = set(), list(starts)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        text = (folder / name).read_text(encoding="utf-8")
        # What is imported in comments are types, and what is chosen at run time ends with a slash.
        waiting += [_resolved(path, posixpath.dirname(name)) for _, _, path in _SPECIFIER.findall(_without_comments(text)) if path.endswith(".js")]
    return sorted(found)


def inline_modules(folder: Path) -> Iterator[tuple[str, str]]:
    """All modules below a folder as (path, text), their relative specifiers made bare names of an import map, nothing else changed."""
    for path in sorted(folder.rglob("*.js")):
        name = path.relative_to(folder).as_posix()
        yield name, _bare_specifiers(path.read_text(encoding="utf-8"), posixpath.dirname(name))


def _bare_specifiers(text: str, folder: str) -> str:
    def bare(match: re.Match[str]) -> str:
        before, quote, path = match.groups()
        slash = "/" if path.endswith("/") else ""
        return f"{before}{quote}{PREFIX}{_resolved(path, folder)}{slash}"

    return _SPECIFIER.sub(bare, text)


def _resolved(path: str, folder: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))


def _without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)
