#!/usr/bin/env python3
"""The article's case studies on real photos, each with one command:

    python examples/study.py classes build/classes
    python examples/study.py factors build/factors
    python examples/study.py transforms build/transforms

And what else the features are good for:

    python examples/study.py segment build/segment
    python examples/study.py neighbours build/neighbours
    python examples/study.py map build/map
    python examples/study.py pca build/pca
    python examples/study.py channels build/channels

Each writes the photos of `photos.py` and a site into the folder, and prints the command line that made the site. Options of overlay-export may follow.
"""

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

STUDIES = {
    "classes": ["--figures", "classes", "--layers", "block3,block4", "--title", "What classes share"],
    "factors": ["--figures", "factors", "--factors", "4,6", "--layers", "block3,block4", "--title", "What patches are made of"],
    "transforms": [
        *("--figures", "transforms", "--transforms", "rotate,scale:4@0.35x0.4,translate,blur", "--transform-images", "chelsea-the-cat,eileen-collins,coffee"),
        *("--layers", "block4", "--title", "The same patch, transformed"),
    ],
    "segment": ["--figures", "segment", "--layers", "block3,block4", "--title", "Segmented by example"],
    "neighbours": ["--figures", "neighbours", "--layers", "block3,block4", "--title", "The nearest in feature space"],
    "map": ["--figures", "map", "--map", "pca,tsne", "--factors", "4", "--layers", "block3,block4", "--title", "Which patches lie together"],
    "pca": ["--figures", "pca", "--layers", "block3,block4", "--title", "Three components as colours"],
    "channels": ["--figures", "channels", "--layers", "block3,block4", "--title", "Channel by channel"],
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Export a case study on real photos.")
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("folder", type=Path, help="where to write; a new folder, or that of an earlier run")
    given, options = parser.parse_known_args()
    photos, site = given.folder / "photos", given.folder / "site"
    written = subprocess.run([sys.executable, Path(__file__).with_name("photos.py"), photos])
    if written.returncode:
        return written.returncode
    command = ["overlay-export", str(photos), "-o", str(site), *STUDIES[given.study], "--force", *options]
    if given.study == "segment":
        subprocess.run([sys.executable, Path(__file__).with_name("masks.py"), photos, given.folder / "masks"], check=True)
        command += ["--masks", str(given.folder / "masks")]
    print(shlex.join(command), flush=True)
    return subprocess.run([sys.executable, "-c", "from exporter.cli import export_command; export_command()", *command[1:]]).returncode


if __name__ == "__main__":
    sys.exit(main())
