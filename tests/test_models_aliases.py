"""block1 to block4 of every classification network of torchvision, against a rule that reads the blocks themselves; timm's are in test_models_timm."""

from math import log2

import pytest
import torch
from torch import nn
from torchvision import models
from torchvision.models import convnext, densenet, efficientnet, inception, maxvit, mnasnet, mobilenetv2, mobilenetv3, regnet, resnet, shufflenetv2, squeezenet, swin_transformer
from torchvision.models.googlenet import Inception

from exporter.models.aliases import BLOCKS, TABLE, aliases_of

NAMES = models.list_models(module=models)
# Blocks that always add their input, or always join branches of it.
RESIDUAL = (
    *(resnet.BasicBlock, resnet.Bottleneck, regnet.ResBottleneckBlock, convnext.CNBlock),
    *(swin_transformer.SwinTransformerBlock, swin_transformer.SwinTransformerBlockV2, maxvit.MaxVitLayer),
)
JOINING = (Inception, densenet._DenseBlock, shufflenetv2.InvertedResidual, squeezenet.Fire)
JOINING += (inception.InceptionA, inception.InceptionC, inception.InceptionE)
# Blocks that add their input where it has the shape of their output, and what says so.
MAYBE = {
    mobilenetv2.InvertedResidual: "use_res_connect",
    mobilenetv3.InvertedResidual: "use_res_connect",
    efficientnet.MBConv: "use_res_connect",
    efficientnet.FusedMBConv: "use_res_connect",
    mnasnet._InvertedResidual: "apply_residual",
}
SIDE = 224


@pytest.fixture
def on_meta(monkeypatch):
    """Builds a network without memory for its weights."""
    parameters = regnet.BlockParams.from_init_params

    def here(**options):
        with torch.device("cpu"):  # they are computed as tensors and read as numbers
            return parameters(**options)

    monkeypatch.setattr(regnet.BlockParams, "from_init_params", here)

    def build(name):
        options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        with torch.device("meta"):
            return models.get_model(name, weights=None, **options).eval()

    return build


def forward(network):
    """[(module's name, module, output's shape)] in the order in which they end."""
    calls = []
    for name, module in network.named_modules():
        module.register_forward_hook(lambda module, args, out, name=name: calls.append((name, module, tuple(getattr(out, "shape", ())))))
    with torch.no_grad():
        network(torch.empty(1, 3, SIDE, SIDE, device="meta"))
    return calls


def stride(shape):
    """From the grid of a square image, rows and columns last or before the channels; odd grids count for the next power of two."""
    rows = shape[2] if shape[2] == shape[3] else shape[1]
    return 2 ** round(log2(SIDE / rows))


def kind(module):
    """True for a block with a path around it, False for one of such a family without, None for what is no block."""
    if isinstance(module, RESIDUAL + JOINING):
        return True
    flag = MAYBE.get(type(module))
    return None if flag is None else bool(getattr(module, flag))


def expected_blocks(calls):
    """{stride: last block}: with a path around it where the stride has such, else without; ReLU before each pool where a family has no blocks."""
    found = {}
    for path in (False, True):
        found.update({stride(shape): name for name, module, shape in calls if kind(module) is path})
    if not found:
        pairs = zip(calls, calls[1:], strict=False)
        found = {stride(shape): name for (name, module, shape), (_, after, _) in pairs if isinstance(module, nn.ReLU) and isinstance(after, nn.MaxPool2d)}
    return {f"block{int(log2(step)) - 1}": name for step, name in sorted(found.items()) if step in (4, 8, 16, 32)}


@pytest.mark.parametrize("name", NAMES)
def test_blocks_are_the_last_of_their_stride(on_meta, name):
    calls = forward(on_meta(name))
    expected = {} if name.startswith("vit_") else expected_blocks(calls)
    found = {alias: module for alias, module in aliases_of(name).items() if alias in BLOCKS}
    assert found.keys() == expected.keys()
    shapes = {module: shape for module, _, shape in calls}
    ends = {module: at for at, (module, *_) in enumerate(calls)}
    for alias, module in found.items():
        # A stage stands for its last block: nothing runs between their ends but other containers, and neither runs twice.
        block = expected[alias]
        assert module == block or block.startswith(f"{module}."), (alias, module, block)
        assert all(block.startswith(f"{end[0]}.") for end in calls[ends[block] + 1 : ends[module]]), (alias, module, block)
        assert [end[0] for end in calls].count(module) == 1
        assert stride(shapes[module]) == 4 << BLOCKS.index(alias)


def test_the_default_network_and_googlenet_have_the_blocks_of_the_contract():
    assert aliases_of("efficientnet-lite0") == {"block1": "_blocks.2", "block2": "_blocks.4", "block3": "_blocks.10", "block4": "_blocks.14"}
    inception_blocks = {"block2": "inception3b", "block3": "inception4e", "block4": "inception5b"}
    assert aliases_of("googlenet") == inception_blocks | {f"mixed{place}": f"inception{place}" for place in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")}


def test_mixed_blocks_of_googlenet_are_all_its_inception_blocks(on_meta):
    blocks = [name for name, module, _ in forward(on_meta("googlenet")) if isinstance(module, Inception)]
    assert [module for alias, module in aliases_of("googlenet").items() if alias.startswith("mixed")] == blocks


def test_every_line_of_the_table_is_met_and_no_name_fits_two():
    from fnmatch import fnmatchcase

    lines = {name: [pattern for pattern, _ in TABLE if fnmatchcase(name, pattern)] for name in [*NAMES, "efficientnet-lite0"]}
    assert {pattern for found in lines.values() for pattern in found} == {pattern for pattern, _ in TABLE}
    assert [name for name, found in lines.items() if len(found) != 1] == [name for name in NAMES if name.startswith("vit_")]
    assert all(len(modules.split()) == len(BLOCKS) for _, modules in TABLE)


def test_unknown_families_have_no_aliases():
    assert aliases_of("vit_b_16") == aliases_of("my_network") == {}
