"""A finished site's folder -> the same page as one HTML file with everything inside, that opens by double click.

Module scripts of a file:// page cannot load other files, so the modules stand in an import map as `data:` URLs under bare names, and the
shards, weights of factors, tables and images as base64 (FORMAT.md, "In one HTML file").
"""

import base64
import json
import posixpath
from pathlib import Path

from markupsafe import Markup

from exporter import site
from exporter.bundle import PAGE_ID
from exporter.display import MEDIA_TYPES
from exporter.errors import ExportError
from exporter.manifest import Manifest, to_json
from exporter.modules import PREFIX, inline_modules

MAX_BYTES = 200_000_000
MAX_FEATURE_BYTES = MAX_BYTES * 3 // 4


def write_page(folder: Path, manifest: Manifest) -> Path:
    """Write `page.html` into a finished site's folder and return it. Raises ExportError past 200 MB."""
    page = folder / "page.html"
    page.write_text(render_page(folder, manifest), encoding="utf-8")
    size = page.stat().st_size
    if size > MAX_BYTES:
        raise ExportError(
            f"the page would take {site.megabytes(size)}, more than the {site.megabytes(MAX_BYTES)} that browsers reliably open as one file;"
            " write a folder (-o site/), or use fewer images, a smaller --size or deeper layers"
        )
    return page


def render_page(folder: Path, manifest: Manifest) -> str:
    """The whole page as text."""
    modules = {PREFIX + name: _data_url("text/javascript", text.encode()) for name, text in inline_modules(folder / "js")}
    import_map = json.dumps({"imports": modules}, sort_keys=True)
    start = f'import "{PREFIX}element.js";'
    style = (folder / "style.css").read_text(encoding="utf-8")
    policy = {
        "script-src": f"'wasm-unsafe-eval' data: {site.source_hash(import_map)} {site.source_hash(start)}",
        "style-src": site.source_hash(style),
        "img-src": "data: blob:",
    }
    inline = {
        "style": Markup(style),
        "import_map": Markup(import_map),
        "start": Markup(start),
        "bundle": Markup(to_json(manifest).decode().replace("<", "\\u003c")),
        "shards": [(one.file, _base64(folder / one.file)) for one in manifest.binaries],
        "pictures": {image.file: _data_url(MEDIA_TYPES[posixpath.splitext(image.file)[1]], (folder / image.file).read_bytes()) for image in manifest.images},
        "versions": [image.file for image in manifest.images if image.version],
    }
    return site.render(manifest, policy, src=f"#{PAGE_ID}", inline=inline, fallback=manifest.originals, notices_script="")


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _data_url(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"
