"""Which figures a page has where none are asked for, and what its author should be told of those it has."""

from collections.abc import Sequence

from exporter.images import ImageFile
from exporter.manifest import Manifest
from exporter.networks import Opened

# More than these are shown only where somebody asks for them.
MANY_CLASSES = 24


def default_figures(networks: Sequence[Opened], images: Sequence[ImageFile], factors: bool = False, transforms: bool = False, map: bool = False, segment: bool = False) -> list[str]:
    """The figures shown where none are asked for.

    Classes where an image is marked; layers side by side where there are several, first of all those of several networks; factors, transforms, map and segment where
    their data is wanted.
    """
    marked = any(image.mark for image in images) and 1 < len({image.group for image in images}) <= MANY_CLASSES
    found = ["gallery", *(["classes"] if marked else []), "pair"]
    if sum(len(network.layers) for network in networks) > 1:
        found = [*found, "layers"] if len(networks) == 1 else ["layers", *found]
    return [*found, *(["factors"] if factors else []), *(["transforms"] if transforms else []), *(["map"] if map else []), *(["segment"] if segment else [])]


def figure_notes(content: Manifest, unasked: Sequence[str]) -> list[str]:
    """Sentences on figures that show less than their data or their data less than it might. unasked: ids of the images that are transformed without having been named."""
    shown, found = {figure.type for figure in content.figures}, []
    if "classes" in shown and len({image.group for image in content.originals}) < 2:
        found.append("figure classes: all images are of one class; sort them into sub-folders, one for each class, and name the folder that holds these")
    if unasked and len(content.originals) > len(unasked):
        found.append(f"of {len(content.originals)} images the first {len(unasked)} are transformed ({', '.join(unasked)}); choose others with --transform-images")
    masks = any(image.mask for image in content.images)
    made = [("transforms", content.series, ["transforms"]), ("factors", content.factors, ["factors", "map"]), ("map", content.layers[0].maps, ["map"]), ("masks", masks, ["segment"])]
    for option, data, showing in made:
        if data and not shown & set(showing):
            found.append(f"no figure of the page shows what --{option} makes; add {showing[0]} to --figures")
    return found
