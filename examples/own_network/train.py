"""Train a small network on shapes that this script draws, keep checkpoints, and export how its idea of similarity grows.

python examples/own_network/train.py build/own_network

writes pictures/, checkpoints/ and site/ into that folder, in about a minute on two cores.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from network import KINDS, MEAN, STD, network  # noqa: E402

CELL = 8
CHECKPOINTS = (0, 1, 2, 4, 8)
BATCH = 32
_SHARPER = 4


def draw(random: np.random.Generator, width: int, height: int, count: int) -> tuple[Image.Image, np.ndarray]:
    """A picture of `count` shapes of any colour on a patterned ground, and what lies in each cell: int64 (height / 8, width / 8)."""
    size = (width * _SHARPER, height * _SHARPER)
    picture, mask = Image.fromarray(_ground(random, width, height)).resize(size), Image.new("L", (width, height), 0)
    brush, marker = ImageDraw.Draw(picture), ImageDraw.Draw(mask)
    taken: list[tuple[float, float, float]] = []
    for _ in range(count * 20):
        radius = random.uniform(9, 17)
        x, y = random.uniform(radius, width - radius), random.uniform(radius, height - radius)
        if len(taken) == count or any(np.hypot(x - u, y - v) < radius + other + 3 for u, v, other in taken):
            continue
        taken.append((x, y, radius))
        kind, turn, colour = int(random.integers(1, len(KINDS))), random.uniform(0, 360), tuple(random.integers(0, 256, 3).tolist())
        _shape(brush, kind, x * _SHARPER, y * _SHARPER, radius * _SHARPER, turn, colour)
        _shape(marker, kind, x, y, radius, turn, kind)
    cells = np.asarray(mask)[CELL // 2 :: CELL, CELL // 2 :: CELL].astype(np.int64)
    return picture.resize((width, height), Image.Resampling.LANCZOS), cells


def _shape(brush: ImageDraw.ImageDraw, kind: int, x: float, y: float, radius: float, turn: float, fill: object) -> None:
    if KINDS[kind] == "circle":
        brush.ellipse([x - radius, y - radius, x + radius, y + radius], fill=fill)
    else:
        brush.regular_polygon((x, y, radius), 4 if KINDS[kind] == "square" else 3, rotation=turn, fill=fill)


def _ground(random: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Soft waves of two colours, uint8 (height, width, 3)."""
    y, x = np.mgrid[:height, :width]
    angle, length = random.uniform(0, np.pi), random.uniform(12, 60)
    wave = 0.5 + 0.5 * np.sin((np.cos(angle) * x + np.sin(angle) * y) * 2 * np.pi / length)
    first, second = random.integers(0, 256, (2, 3))
    return (first + 0.6 * wave[..., None] * (second - first)).astype(np.uint8)


def batches(random: np.random.Generator, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Training data: float (count, 3, 96, 96), normalised, and int64 (count, 12, 12)."""
    drawn = [draw(random, 96, 96, 4) for _ in range(count)]
    pixels = np.stack([np.asarray(picture, np.float32).transpose(2, 0, 1) for picture, _ in drawn])
    return torch.from_numpy((pixels / 255 - MEAN) / STD), torch.from_numpy(np.stack([cells for _, cells in drawn]))


def train(folder: Path, examples: int, epochs: tuple[int, ...]) -> list[Path]:
    """Train, and save the weights before training and after the epochs named; the files, in that order."""
    torch.manual_seed(0)
    net, (images, labels) = network(), batches(np.random.default_rng(0), examples)
    optimizer = torch.optim.Adam(net.parameters(), 2e-3)
    # Most cells hold nothing.
    weight = torch.tensor([0.3, 1.0, 1.0, 1.0])
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for epoch in range(max(epochs) + 1):
        if epoch:
            losses = _epoch(net, optimizer, weight, images, labels)
            print(f"epoch {epoch}: loss {np.mean(losses):.3f}")
        if epoch in epochs:
            files.append(folder / f"epoch-{epoch}.pt")
            torch.save(net.state_dict(), files[-1])
    return files


def _epoch(net: torch.nn.Module, optimizer: torch.optim.Optimizer, weight: torch.Tensor, images: torch.Tensor, labels: torch.Tensor) -> list[float]:
    net.train()
    losses = []
    for chosen in torch.randperm(len(images)).split(BATCH):
        loss = torch.nn.functional.cross_entropy(net(images[chosen]), labels[chosen], weight)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def pictures(folder: Path, count: int = 6) -> None:
    """Pictures to look at, which the network has not seen: folder/scene-1.png and so on."""
    random = np.random.default_rng(1)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, count + 1):
        draw(random, 288, 192, 14)[0].save(folder / f"scene-{number}.png")


def main(arguments: list[str]) -> None:
    """Make the data, train, export."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("output", type=Path, help="the folder for pictures, checkpoints and the site")
    parser.add_argument("--examples", type=int, default=1500, help="how many pictures to train on")
    options = parser.parse_args(arguments)
    pictures(options.output / "pictures")
    files = train(options.output / "checkpoints", options.examples, CHECKPOINTS)
    from exporter.cli import export_command

    command = [str(options.output / "pictures"), "-o", str(options.output / "site"), "--model", f"{HERE / 'network.py'}:network"]
    command += [part for file in files for part in ("--checkpoint", f"{file.stem.replace('-', ' ')}={file}")]
    command += ["--layers", "stage4", "--mean", str(MEAN), "--std", str(STD), "--size", "288", "--title", "A network learns shapes", "--force"]
    export_command(command, prog_name="overlay-export")


if __name__ == "__main__":
    main(sys.argv[1:])
