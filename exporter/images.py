"""Which images an export is about: their order, ids, groups, safe file names and what `images.toml` says of them.

Nothing is decoded here; `pixels.py` does that.
"""

import difflib
import json
import os
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from exporter.errors import ExportError, UsageError
from exporter.marks import is_export

IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pnm", ".avif", ".heic", ".heif"),
)
NOTES_NAME = "images.toml"
NOTES_KEYS = {"images": ("alt", "credit", "title", "mark"), "classes": ("title", "caption")}
SLUG_LENGTH = 60
# An image in a sub-folder of this name, or with this in its name, belongs to the images around it and is marked.
MARK, MARK_NAME = "generated", "_generated"

# Windows opens a device, not a file, under these names, whatever the suffix.
_MARKED_STEM = re.compile(rf"{MARK_NAME}(?![^\W\d_])[-_]?")
_DEVICE = re.compile(r"con|prn|aux|nul|com\d|lpt\d")


@dataclass(frozen=True)
class ImageFile:
    """One image: `path` is absolute, `slug` names its published copies, `group` is the id of a `Group`, `mark` what sets it apart from that."""

    path: Path
    id: str
    title: str
    group: str
    slug: str
    alt: str = ""
    credit: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Group:
    """Images of one sub-folder; the id is its POSIX path below the folder that was named, without parts named `_generated`; `""` for that folder itself."""

    id: str
    title: str
    caption: str = ""


@dataclass(frozen=True)
class ImageSet:
    """Images in path order, the groups they use in order of first appearance, and what the user should be told."""

    images: tuple[ImageFile, ...]
    groups: tuple[Group, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Notes:
    """One `images.toml`; `unknown`: what to tell of keys that mean nothing; `strict` where its folder was named, so that an entry without an image is a slip."""

    folder: Path
    tables: dict[str, dict[str, dict[str, str]]]
    unknown: list[str]
    strict: bool


def find_images(inputs: Sequence[str | Path], besides: str | Path | None = None) -> ImageSet:
    """Find the images in files and folders (recursive), the same for every argument order and working directory.

    besides: a folder that is none of theirs, such as that of the masks. Raises `UsageError` for inputs that are missing, no images, or earlier exports; `ExportError` when nothing is
    found, a folder cannot be read, or an `images.toml` is wrong.
    """
    folders, files = _sort_inputs(inputs)
    grouped = _collect(folders, files, besides and os.path.realpath(besides))
    if not grouped:
        raise ExportError(f"no images in {_listed(folders)}, expected files ending in {' '.join(IMAGE_SUFFIXES)}; name a folder that has some")
    images = _identify(sorted(grouped.items(), key=lambda item: item[0].as_posix()))
    groups = {image.group: Group(image.group, image.group.replace("_", " ")) for image in images}
    warnings: list[str] = []
    for notes in _read_notes(folders, files):
        warnings += notes.unknown + _describe_images(images, notes) + _describe_groups(images, groups, notes)
    return ImageSet(tuple(images), tuple(groups.values()), tuple(warnings))


def _sort_inputs(inputs: Sequence[str | Path]) -> tuple[list[Path], list[Path]]:
    """Absolute folders and files, each once; every input that will not do is named in one error."""
    if not inputs:
        raise UsageError("no images were named; name a folder of images or image files")
    problems = [problem for given in inputs if (problem := _input_problem(Path(given)))]
    if problems:
        raise UsageError("; ".join(problems))
    paths = sorted({_absolute(given) for given in inputs}, key=Path.as_posix)
    return [path for path in paths if path.is_dir()], [path for path in paths if not path.is_dir()]


def _input_problem(path: Path) -> str | None:
    try:
        if path.is_dir():
            return f"{path} is an earlier export, expected images; name the folder these came from" if is_export(path) else None
        found = path.is_file()
    except (OSError, ValueError):
        found = False
    if not found:
        return f"no such file or folder: {path}; check the spelling"
    if not _has_image_suffix(path.name):
        return f"{path} is not an image by its name, expected one of {' '.join(IMAGE_SUFFIXES)}; rename it or leave it out"
    return None


def _collect(folders: list[Path], files: list[Path], besides: str | None) -> dict[Path, tuple[str, str]]:
    """Path -> group id and mark. A folder beats a file that was named, an outer folder one inside it."""
    grouped: dict[Path, tuple[str, str]] = {}
    for folder in sorted(folders, key=lambda path: len(path.parts)):
        prefix = (folder.name,) if len(folders) > 1 else ()
        for path in _walk(folder, besides):
            parts = (*prefix, *path.parent.relative_to(folder).parts)
            grouped.setdefault(path, (_group_id(parts), MARK if MARK_NAME in parts or _MARKED_STEM.search(path.stem) else ""))
    for path in files:
        grouped.setdefault(path, ("", MARK if _MARKED_STEM.search(path.stem) else ""))
    return grouped


def _group_id(parts: Iterable[str]) -> str:
    return _clean("/".join(part for part in parts if part != MARK_NAME))


def _walk(root: Path, besides: str | None) -> Iterator[Path]:
    """Image files below `root`, but for those in one folder. Links are followed last, so that a folder is known by its own name where it has one."""
    folders, links, seen = [root], [], set()
    while folders or links:
        folder = folders.pop() if folders else links.pop(0)
        real = os.path.realpath(folder)
        if real in seen or real == besides or (folder != root and is_export(folder)):
            continue
        seen.add(real)
        for name in _names(folder):
            path = folder / name
            if os.path.isdir(path):
                (links if os.path.islink(path) else folders).append(path)
            # A link that leads nowhere is kept: it fails as an image by name instead of vanishing.
            elif _has_image_suffix(name) and (os.path.isfile(path) or os.path.islink(path)):
                yield path


def _names(folder: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError as error:
        raise ExportError(f"cannot read the folder {folder} ({error.strerror}); change its permissions or leave it out") from error


def _identify(grouped: list[tuple[Path, tuple[str, str]]]) -> list[ImageFile]:
    ids = _ids(path for path, _ in grouped)
    slugs = unique((slug(id) for id in ids), SLUG_LENGTH)
    titles = [_MARKED_STEM.sub("_", _clean(path.stem)).replace("_", " ").strip() for path, _ in grouped]
    return [
        ImageFile(path, id, title or id, group, slug, mark=mark)
        for (path, (group, mark)), id, slug, title in zip(grouped, ids, slugs, titles, strict=True)
    ]


def _ids(paths: Iterable[Path]) -> list[str]:
    return unique(_clean(path.stem) or "image" for path in paths)


def unique(names: Iterable[str], limit: int | None = None) -> list[str]:
    """Each name, or the first free one of `name-2`, `name-3`, ..., in at most `limit` characters."""
    taken: dict[str, None] = {}
    counts: dict[str, int] = {}
    for name in names:
        candidate = name
        while candidate in taken:
            counts[name] = counts.get(name, 1) + 1
            tail = f"-{counts[name]}"
            candidate = (name[: limit - len(tail)].rstrip("-") if limit else name) + tail
        taken[candidate] = None
    return list(taken)


def slug(text: str, empty: str = "image") -> str:
    """A file name's worth of text: [a-z0-9-] only, at most SLUG_LENGTH characters; `empty` where nothing is left."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_text).strip("-")[:SLUG_LENGTH].strip("-") or empty
    return f"image-{slug}" if _DEVICE.fullmatch(slug) else slug


def _clean(text: str) -> str:
    """NFC without control characters; bytes of a file name that are no UTF-8 become U+FFFD, for JSON cannot hold them."""
    normal = unicodedata.normalize("NFC", text)
    kinds = {"Cc": " ", "Zl": " ", "Zp": " ", "Cs": "\ufffd"}
    return "".join(kinds.get(unicodedata.category(char), char) for char in normal).strip()


def _has_image_suffix(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES


def _absolute(path: str | Path) -> Path:
    return Path(os.path.abspath(path))


def _listed(paths: list[Path]) -> str:
    return ", ".join(str(path) for path in paths)


def _read_notes(folders: list[Path], files: list[Path]) -> list[_Notes]:
    """Outer folders first: what stands nearer to an image overrides them."""
    places = {path.parent: False for path in files} | {path: True for path in folders}
    ordered = sorted(places, key=lambda path: (len(path.parts), path.as_posix()))
    return [_Notes(place, *_parse_notes(place / NOTES_NAME), places[place]) for place in ordered if os.path.lexists(place / NOTES_NAME)]


def _parse_notes(path: Path) -> tuple[dict[str, dict[str, dict[str, str]]], list[str]]:
    """What an `images.toml` says, and sentences on its keys that mean nothing, which are left out."""
    try:
        content = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise ExportError(f"cannot read {path} ({error.strerror}); change its permissions or remove it") from error
    except (ValueError, RecursionError) as error:
        raise ExportError(f"{path} is not valid TOML ({error}), expected tables such as [images.dog]; correct it") from error
    unknown = [f"{path}: unknown table or key {kind!r}, expected [images.ID] or [classes.GROUP]; correct or remove it" for kind in content if kind not in NOTES_KEYS]
    tables: dict[str, dict[str, dict[str, str]]] = {kind: {} for kind in NOTES_KEYS}
    for kind, table in tables.items():
        for name, fields in _entries(path, kind, content.get(kind, {})):
            unknown += [_unknown_key(path, kind, name, field, value) for field, value in fields.items() if field not in NOTES_KEYS[kind]]
            table[_clean(name)] = {field: _text(path, f"{kind}.{name}.{field}", value) for field, value in fields.items() if field in NOTES_KEYS[kind]}
    return tables, unknown


def _entries(path: Path, kind: str, entries: object) -> Iterator[tuple[str, dict[str, object]]]:
    for name, fields in entries.items() if isinstance(entries, dict) else [("", entries)]:
        if not isinstance(fields, dict):
            raise ExportError(f"{path}: {f'{kind}.{name}' if name else kind} is {fields!r}, expected a table; write [{kind}.NAME] above the line")
        yield name, fields


def _unknown_key(path: Path, kind: str, name: str, field: str, value: object) -> str:
    quoted = json.dumps(f"{name}.{field}", ensure_ascii=False)
    hint = f"; a name with dots is quoted: [{kind}.{quoted}]" if isinstance(value, dict) else "; correct or remove it"
    return f"{path}: unknown key {field!r} in {kind}.{name}, expected {', '.join(NOTES_KEYS[kind])}{hint}"


def _text(path: Path, key: str, value: object) -> str:
    if not isinstance(value, str):
        raise ExportError(f"{path}: {key} is {value!r}, expected text; put it in quotes")
    return value


def _describe_images(images: list[ImageFile], notes: _Notes) -> list[str]:
    """Put the notes into `images`, by id; where other inputs changed an id, the one it has in this folder alone works too."""
    inside = [index for index, image in enumerate(images) if image.path.is_relative_to(notes.folder)]
    names = {images[index].id: index for index in inside}
    names |= dict(zip(_ids(images[index].path for index in inside), inside, strict=True))
    for name, fields in notes.tables["images"].items():
        if name in names:
            given = {key: value for key, value in fields.items() if value}
            images[names[name]] = replace(images[names[name]], **given)
    return _unmatched("image", notes, notes.tables["images"], names)


def _describe_groups(images: list[ImageFile], groups: dict[str, Group], notes: _Notes) -> list[str]:
    """Put the notes into `groups`, by id or by the path below the folder of the notes."""
    inside = [image for image in images if image.path.is_relative_to(notes.folder)]
    names = {image.group: image.group for image in inside}
    names |= {_group_id(image.path.parent.relative_to(notes.folder).parts): image.group for image in inside}
    for name, fields in notes.tables["classes"].items():
        if name in names:
            given = {key: value for key, value in fields.items() if value}
            groups[names[name]] = replace(groups[names[name]], **given)
    return _unmatched("group", notes, notes.tables["classes"], names)


def _unmatched(what: str, notes: _Notes, entries: Iterable[str], names: Iterable[str]) -> list[str]:
    if not notes.strict:
        return []
    known = list(names)
    return [f'{NOTES_NAME}: no {what} "{name}" in {notes.folder}{_nearest(name, known)}' for name in entries if name not in known]


def _nearest(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f'; did you mean "{near[0]}"?' if near else "; correct or remove the entry"
