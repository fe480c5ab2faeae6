"""How a folder or a page is recognised as one that an export wrote."""

import json
from collections.abc import Iterator
from pathlib import Path

FORMAT = "overlay-export bundle"
MANIFEST_NAME = "bundle.json"
PAGE_SUFFIXES = (".html", ".htm")
GENERATOR_META = '<meta name="generator" content="overlay-export'
_HEAD_BYTES = 4096
_OWN_FILES = {".nojekyll", MANIFEST_NAME, "index.html", "style.css"}


def is_page(path: Path) -> bool:
    """Whether a name is that of a single-file page rather than of a folder."""
    return path.suffix.lower() in PAGE_SUFFIXES


def is_exported_page(path: Path) -> bool:
    """Whether a file is a single-file page that an export wrote."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return GENERATOR_META.encode() in file.read(_HEAD_BYTES)


def is_export(folder: str | Path) -> bool:
    """Whether an export wrote this folder: it holds a `bundle.json` of ours. Never raises for a damaged one."""
    return _manifest(Path(folder)) is not None


def foreign_files(folder: Path) -> list[str]:
    """Paths below an exported folder that the export did not write, as far as its bundle.json can tell."""
    manifest = _manifest(folder) or {}
    own = _OWN_FILES | set(_named_files(manifest))
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return [file.as_posix() for file in files if file.as_posix() not in own and not (file.parts[0] == "js" and file.suffix == ".js")]


def _manifest(folder: Path) -> dict | None:
    try:
        content = json.loads((folder / MANIFEST_NAME).read_bytes())
    except (OSError, ValueError, RecursionError, MemoryError):
        return None
    return content if isinstance(content, dict) and content.get("format") == FORMAT else None


def _named_files(entry: object) -> Iterator[str]:
    """All files that a manifest, or a part of it, names."""
    if isinstance(entry, dict) and isinstance(entry.get("file"), str):
        yield entry["file"]
    for part in entry.values() if isinstance(entry, dict) else entry if isinstance(entry, list) else ():
        yield from _named_files(part)
