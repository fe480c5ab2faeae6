"""What bundle.json says of networks and images, and what tells one state of them from another."""

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import onnxruntime
import PIL

from exporter.display import Copy
from exporter.images import ImageFile
from exporter.manifest import Image, Network, Thumbnail, Version
from exporter.networks import Opened
from exporter.pixels import explained
from exporter.versions import VersionFile


def versions() -> list[str]:
    """The versions of what makes features. Of torch and what goes with it they are asked without an import, which takes seconds and a converted network does without."""
    found = [f"{module.__name__} {module.__version__}" for module in (np, PIL, onnxruntime)]
    for name in ("torch", "torchvision", "timm"):
        with suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    return found


def network_entry(opened: Opened) -> Network:
    model, p = opened.model, opened.model.preprocessing
    return Network(
        id=opened.label,
        name=model.name,
        source=model.source,
        weights=model.weights,
        weights_sha256=model.weights_sha256,
        input_range=tuple(p.input_range),
        mean=tuple(p.mean),
        std=tuple(p.std),
        input_size=model.fixed_size,
        prefix_tokens=model.prefix_tokens,
    )


def digest_of(image: ImageFile) -> str:
    """SHA-256 of an image's file and of all that is published beside it. Raises BadImage where it cannot be read."""
    version = [image.of, asdict(image.series), image.step] if isinstance(image, VersionFile) else None
    facts = json.dumps([image.id, image.title, image.group, image.slug, image.alt, image.credit, image.mark, version])
    with explained(image.path):
        return hashlib.sha256(facts.encode() + image.path.read_bytes()).hexdigest()


def image_entry(source: ImageFile, shown: Copy, thumbnail: Copy | None, version: Version | None) -> Image:
    texts = {"id": source.id, "title": source.title, "group": source.group, "alt": source.alt, "credit": source.credit, "mark": source.mark}
    return Image(**texts, **_file("images", source, shown), thumbnail=thumbnail and Thumbnail(**_file("thumbnails", source, thumbnail)), version=version)


def _file(folder: str, source: ImageFile, copy: Copy) -> dict[str, str | int]:
    digest = hashlib.sha256(copy.data).hexdigest()
    return {"file": f"{folder}/{source.slug}{copy.suffix}", "bytes": len(copy.data), "sha256": digest, "width": copy.width, "height": copy.height}
