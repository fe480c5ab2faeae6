#!/usr/bin/env python3
"""Write a folder of real photographs to try overlay-export on.

    python examples/photos.py FOLDER

The photographs ship inside scikit-image, scikit-learn and matplotlib; nothing is downloaded. They are copied
byte for byte into one sub-folder per class, beside an images.toml with titles, alternative texts and credits.
"""

import argparse
import json
import sys
from importlib.util import find_spec
from pathlib import Path

INSTALL = 'pip install "overlay-export[demo]"'
WHEELS = {"skimage": "scikit-image", "sklearn": "scikit-learn", "matplotlib": "matplotlib"}
IGNORED = {".DS_Store", "Thumbs.db", "desktop.ini"}  # what file managers leave behind

CLASSES = {  # folder: (title, caption)
    "nature": ("Nature", "A cat and a flower: fur, eyes and petals, in front of a blurred background."),
    "people": ("People", "Two portraits and a man at work: faces, hair, cloth and badges."),
    "places": ("Places", "One near, with roofs, trees and water, and one as far away as a telescope can see."),
    "textures": ("Textures", "Surfaces without an object: every patch should resemble its neighbours."),
    "things": ("Things", "Small round objects: a cup on its saucer, and rows of coins."),
    "vehicles": ("Vehicles", "A motorcycle in its garage, and a rocket on its pad."),
}

MIDDLEBURY = (
    "Nera Nesic, Porter Westling, Xi Wang, York Kitajima, Greg Krathwohl and Daniel Scharstein, Middlebury College: "
    "Middlebury 2014 stereo benchmark (http://vision.middlebury.edu/stereo/data/scenes2014/), down-sampled by "
    "scikit-image, which states no licence for it"
)
CC_BY = "CC BY 2.0 (https://creativecommons.org/licenses/by/2.0/)"

# (source inside its package, target, title, alternative text, credit); credits say what the packages say
PHOTOS = [
    (
        "skimage/data/chelsea.png", "nature/chelsea-the-cat.png", "Chelsea the cat",
        "Close-up of the face of a ginger tabby cat with green eyes and a red-brown nose, looking to the right "
        "past the camera.",
        "Photo: Stefan van der Walt, CC0",
    ),
    (
        "sklearn/datasets/images/flower.jpg", "nature/orange-flower.jpg", "Orange flower",
        "A round orange blossom with many rows of tightly packed petals, sharp in front of blurred dark green "
        "leaves; the top of a second blossom at the lower edge.",
        "Photo: vultilion on Flickr (https://www.flickr.com/photos/vultilion/6056698931/), " + CC_BY,
    ),
    (
        "skimage/data/camera.png", "people/cameraman.png", "Cameraman",
        "Black-and-white photo of a dark-haired man in a dark coat and gloves, bending to look through a camera on a "
        "tripod; behind him a wide lawn and, far off, low buildings and a tower.",
        "Photo: Lav Varshney, CC0",
    ),
    (
        "skimage/data/astronaut.png", "people/eileen-collins.png", "Eileen Collins",
        "Portrait of the astronaut Eileen Collins, smiling, with short light-brown hair, in an orange space suit with "
        "her black-visored helmet in front of her; behind her a flag of the United States and a model of a space "
        "shuttle.",
        "Photo: NASA Great Images database (https://flic.kr/p/r9qvLn), no known copyright restrictions, released "
        "into the public domain",
    ),
    (
        "matplotlib/mpl-data/sample_data/grace_hopper.jpg", "people/grace-hopper.jpg", "Grace Hopper",
        "Portrait of Grace Hopper in a dark Navy uniform with medal ribbons, a white-topped cap and large glasses, "
        "looking into the camera; behind her a flag of the United States on a blue background.",
        "Wikimedia Commons (http://commons.wikimedia.org/wiki/File:Grace_Hopper.jpg, the source named in the file), "
        "contributed to matplotlib as a public domain image",
    ),
    (
        "skimage/data/hubble_deep_field.jpg", "places/hubble-deep-field.jpg", "Hubble eXtreme Deep Field",
        "Hundreds of galaxies scattered over black space: small white, blue and orange dots, discs and smears, some "
        "with a bright core.",
        "Image: NASA, from HubbleSite (http://hubblesite.org/newscenter/archive/releases/2012/37/image/a/), may be "
        "freely used in the public domain",
    ),
    (
        "sklearn/datasets/images/china.jpg", "places/tower-in-china.jpg", "Tower above a lake in China",
        "A many-sided Chinese tower with four tiers of orange roofs edged in green, red columns and galleries, rising "
        "out of treetops; behind it a wide, hazy lake.",
        "Photo: danielbuechele on Flickr (https://www.flickr.com/photos/danielbuechele/6061409035/), " + CC_BY,
    ),
    (
        "skimage/data/brick.png", "textures/bricks.png", "Bricks",
        "Black-and-white photo of dark, narrow bricks standing on end in staggered columns, with light mortar between "
        "them, leaning slightly to the left.",
        "CC0Textures (https://cc0textures.com/view.php?tex=Bricks25), CC0; warped and cropped by scikit-image",
    ),
    (
        "skimage/data/grass.png", "textures/grass.png", "Grass",
        "Black-and-white photo of a lawn from straight above: short blades of grass in all directions, with a few "
        "broader leaves.",
        "DeviantArt, linolafett (https://www.deviantart.com/linolafett/art/Grass-01-434853879), CC0; cropped and "
        "converted to greyscale by scikit-image",
    ),
    (
        "skimage/data/gravel.png", "textures/gravel.png", "Gravel",
        "Black-and-white photo of gravel from straight above: small angular stones, packed closely, light grey with "
        "dark gaps.",
        "CC0Textures (https://cc0textures.com/view.php?tex=Gravel04), CC0; cropped and converted to greyscale by "
        "scikit-image",
    ),
    (
        "skimage/data/coffee.png", "things/coffee.png", "Cup of coffee",
        "A red-brown cup, white inside and half full of coffee, on a saucer of the same colour with a small metal "
        "spoon, on a wooden table.",
        "Photo: Rachel Michetti, courtesy of Pikolo Espresso Bar, CC0",
    ),
    (
        "skimage/data/coins.png", "things/greek-coins.png", "Greek coins from Pompeii",
        "Black-and-white photo of twenty-four ancient coins in four rows of six on a dark ground, stamped with heads "
        "and figures, in several sizes.",
        "Brooklyn Museum Collection (https://www.brooklynmuseum.org/opencollection/archives/image/51611), no known "
        "copyright restrictions",
    ),
    (
        "skimage/data/rocket.jpg", "vehicles/falcon-9.jpg", "Falcon 9 with DSCOVR",
        "A slim white rocket upright on its launch pad at dusk, between four lattice masts, under a deep blue sky; "
        "floodlights glare along the lower edge.",
        "Photo: SpaceX (https://www.flickr.com/photos/spacexphotos/16511594820/), released in the public domain, "
        "according to scikit-image",
    ),
    (
        "skimage/data/motorcycle_left.png", "vehicles/motorcycle.png", "Motorcycle",
        "A red motorcycle with a black seat, facing right, on the concrete floor of a garage; behind it a wooden "
        "bench and metal shelves with cardboard boxes and a red bin.",
        MIDDLEBURY,
    ),
]  # fmt: skip


class Refused(Exception):
    """The folder is not ours to write to."""


def source(path):
    """The file `path` inside its installed package, found without importing the package."""
    package, _, rest = path.partition("/")
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"{WHEELS[package]} is not installed, and its sample photos are needed: {INSTALL}")
    file = Path(spec.submodule_search_locations[0], rest)
    if not file.is_file():
        raise FileNotFoundError(f"{WHEELS[package]} is installed without its sample photo {rest}; get it by {INSTALL}")
    return file


def images_toml():
    """The text of images.toml; JSON's strings are TOML's."""
    tables = [(f"images.{Path(to).stem}", {"title": title, "alt": alt, "credit": credit})
              for _, to, title, alt, credit in PHOTOS]  # fmt: skip
    tables += [(f"classes.{name}", {"title": title, "caption": text}) for name, (title, text) in CLASSES.items()]
    return "\n".join(f"[{name}]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in d.items()) for name, d in tables)


def write(folder):
    """Write the photos into `folder`, which may be missing, empty or from an earlier run."""
    files = {to: source(path).read_bytes() for path, to, *_ in PHOTOS}
    files["images.toml"] = images_toml().encode("utf-8")
    if folder.exists() and not folder.is_dir():
        raise Refused(f"{folder} is not a folder; name another one.")
    for path in sorted(folder.rglob("*")) if folder.exists() else []:
        name = path.relative_to(folder).as_posix()
        ours = path.read_bytes() == files[name] if name in files and path.is_file() else (
            name in CLASSES and path.is_dir())  # fmt: skip
        if (path.is_symlink() or not ours) and path.name not in IGNORED:
            raise Refused(f"{folder} holds something that this script would not write ({name}), "
                          "name another folder or remove this one.")  # fmt: skip
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def main(argv=None):
    parser = argparse.ArgumentParser(description="Write real photographs, in class folders, to try overlay-export on.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where to write; a new or empty folder")
    folder = parser.parse_args(argv).folder
    try:
        write(folder)
    except (Refused, OSError) as error:
        print(f"photos.py: {error}", file=sys.stderr)
        return 2 if isinstance(error, Refused) else 1
    print(f"{len(PHOTOS)} photos in {len(CLASSES)} classes, with credits in images.toml: {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
