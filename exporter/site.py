"""Bundle + template -> a site's folder. Every file it refers to lies inside it, by relative URL."""

import base64
import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from exporter.figures import figure_types
from exporter.manifest import Layer, Manifest, to_json
from exporter.marks import MANIFEST_NAME, is_page
from exporter.modules import needed_modules

_SMALLER = "fewer images, a smaller --size or --display-size, deeper layers, or another host"
LEDE = "Point at a patch. Every image shows how close each of its patches is to it, as the network represents them."
LARGE_PAGE = 50_000_000
# GitHub Pages takes no larger files and no larger sites.
MOST_FILE_BYTES, MOST_SITE_BYTES = 100 * 1024 * 1024, 1_000_000_000
# What a page can say where its modules do not run: opened from a disk, or not all of them there.
_NOTICES = """const { classList } = document.documentElement;
if (location.protocol === 'file:') classList.add('from-file');
else addEventListener('load', () => customElements.get('similarity-overlay') || classList.add('not-started'));"""


_FALLBACK_IMAGES = 60


def template_folder() -> Path:
    """Where the template is: inside an installed wheel, or at the root of the repository."""
    here = Path(__file__).resolve().parent
    installed = here / "site_template"
    return installed if installed.is_dir() else here.parent / "site_template"


def write_site(folder: Path, manifest: Manifest) -> Path:
    """Complete a folder that holds images and shards: bundle.json, page, style and modules. Returns the folder."""
    template = template_folder()
    (folder / MANIFEST_NAME).write_bytes(to_json(manifest))
    (folder / "index.html").write_text(render_index(manifest), encoding="utf-8")
    (folder / ".nojekyll").touch()
    for source in (template / "style.css", *(template / "js").rglob("*.js")):
        target = folder / source.relative_to(template)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return folder


def render_index(manifest: Manifest) -> str:
    """The page of a site's folder. Without its figures it shows some of the images: a thousand would cost every reader who never sees them."""
    policy = {"script-src": f"'self' 'wasm-unsafe-eval' {source_hash(_NOTICES)}", "style-src": "'self'", "img-src": "'self' data: blob:", "connect-src": "'self'"}
    return render(manifest, policy, src="./", inline=None, modules=_modules(manifest), fallback=manifest.originals[:_FALLBACK_IMAGES], notices_script=_NOTICES)


def _modules(manifest: Manifest) -> list[str]:
    """The modules that the page needs, which a browser would else find one behind the other, each a way to the server and back."""
    figures = (f"figures/{figure.type}.js" for figure in manifest.figures)
    return [f"js/{name}" for name in needed_modules(template_folder() / "js", ["element.js", *figures])]


def render(manifest: Manifest, policy: dict[str, str], **variables: object) -> str:
    """The page template with everything it shows. policy: Content-Security-Policy directives beside those every page has."""
    environment = Environment(loader=FileSystemLoader(template_folder()), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["megabytes"] = megabytes
    directives = {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'", **policy}
    types = figure_types()
    return environment.get_template("page.html.j2").render(
        content_security_policy="; ".join(f"{name} {value}" for name, value in directives.items()),
        manifest=manifest,
        lede=LEDE,
        figures=[(types[figure.type], figure.attributes) for figure in manifest.figures],
        layers=[LayerFacts(layer) for layer in manifest.layers],
        feature_bytes=feature_bytes(manifest),
        networks=network_summary(manifest),
        versions=len(manifest.images) - len(manifest.originals),
        centered=any(layer.centered for layer in manifest.layers),
        worst_error=max(layer.error.max for layer in manifest.layers),
        **variables,
    )


class LayerFacts:
    """A layer as the page's table shows it."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.bytes = sum(shard.bytes for shard in layer.shards)
        self.grid = grid_summary(layer)
        self.codes = ", ".join(filter(None, [layer.encoding, layer.integers, f"{layer.dims} dims" if layer.dims < layer.channels else ""]))


def network_summary(manifest: Manifest) -> str:
    """The networks in a few words: the name of the only one, `net.py:make (epoch 1, epoch 9)` for those of one source, or all names."""
    networks = manifest.networks
    if len(networks) > 1 and len({network.source for network in networks}) == 1:
        return f"{networks[0].source} ({', '.join(network.id for network in networks)})"
    return "; ".join(network.name for network in networks)


def image_summary(manifest: Manifest) -> str:
    """How many images there are, and how many versions of them: `1 image`, `6 images and 138 versions of them`."""
    count, versions = len(manifest.originals), len(manifest.images) - len(manifest.originals)
    made = f" and {versions} version{'s'[: versions > 1]} of {'them' if count > 1 else 'it'}" if versions else ""
    return f"{count} image{'s'[: count > 1]}{made}"


def grid_summary(layer: Layer) -> str:
    """The grids of a layer in a few words: `14 x 14`, or `10 x 14 and 3 others`."""
    grids = sorted(set(layer.grids), key=lambda grid: (-layer.grids.count(grid), grid))
    more = f" and {len(grids) - 1} other{'s' if len(grids) > 2 else ''}" if len(grids) > 1 else ""
    return f"{grids[0][0]} × {grids[0][1]}{more}"


def feature_bytes(manifest: Manifest) -> int:
    """Bytes of all shards."""
    return sum(shard.bytes for layer in manifest.layers for shard in layer.shards)


def content_bytes(manifest: Manifest) -> dict[str, int]:
    """Bytes of what a page shows, by kind: features, images, and versions of them, thumbnails, factors and tables where there are some."""
    thumbnails = sum(image.thumbnail.bytes for image in manifest.images if image.thumbnail)
    found = {"features": feature_bytes(manifest), "images": sum(image.bytes for image in manifest.originals)}
    found |= {"versions": sum(image.bytes for image in manifest.images if image.version), "thumbnails": thumbnails, "factors": sum(one.bytes for one in manifest.factors), "tables": sum(one.bytes for one in manifest.tables)}
    return {kind: count for kind, count in found.items() if count}


def file_sizes(path: Path) -> dict[str, int]:
    """Bytes of every file of a site's folder by its path in there, or of the one file of a page."""
    if path.is_file():
        return {path.name: path.stat().st_size}
    return {file.relative_to(path).as_posix(): file.stat().st_size for file in sorted(path.rglob("*")) if file.is_file()}


def size_warnings(output: Path, sizes: Mapping[str, int]) -> list[str]:
    """Sentences on what readers wait for and on what GitHub Pages does not take. sizes: of the files of `output`, as `file_sizes` gives them."""
    total, (largest, size) = sum(sizes.values()), max(sizes.items(), key=lambda item: item[1])
    name = output if is_page(output) else largest
    found = []
    if is_page(output) and total > LARGE_PAGE:
        found.append(f"{output} takes {megabytes(total)} and loads as a whole before anything shows; a folder (-o site/) opens sooner")
    if size > MOST_FILE_BYTES:
        found.append(f"{name} takes {megabytes(size)}, GitHub Pages takes files of at most {megabytes(MOST_FILE_BYTES)}; use {_SMALLER}")
    if total > MOST_SITE_BYTES:
        found.append(f"{output} takes {megabytes(total)}, GitHub Pages takes sites of at most {megabytes(MOST_SITE_BYTES)}; use {_SMALLER}")
    return found


def megabytes(count: int) -> str:
    """Bytes for people, in decimal units as hosts and browsers count: `208 bytes`, `820 kB`, `1.28 MB`."""
    return f"{count} bytes" if count < 1e3 else f"{count / 1e3:.0f} kB" if count < 1e6 else f"{count / 1e6:.2f} MB" if count < 1e7 else f"{count / 1e6:.0f} MB"


def source_hash(text: str) -> str:
    """An inline script or style as a Content-Security-Policy source."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
