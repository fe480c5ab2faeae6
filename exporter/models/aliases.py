"""block1 to block4 by family: the last map of strides 4, 8, 16 and 32 that is worth an overlay.

That is the end of the last residual, inception or dense block of the stride, or for plain networks the ReLU before the pool; stems and
heads are left out, and a stage without a residual path behind one that has it (its features are nearly white). `-` stands for a stride
at which a family has no such map. Odd grids count for the next power of two.
"""

from fnmatch import fnmatchcase

BLOCKS = ("block1", "block2", "block3", "block4")

# Names of networks in torchvision; each line's modules are those of strides 4, 8, 16 and 32.
TABLE: tuple[tuple[str, str], ...] = (
    ("efficientnet-lite0", "_blocks.2 _blocks.4 _blocks.10 _blocks.14"),
    ("resnet*", "layer1 layer2 layer3 layer4"),
    ("resnext*", "layer1 layer2 layer3 layer4"),
    ("wide_resnet*", "layer1 layer2 layer3 layer4"),
    ("regnet_*", "trunk_output.block1 trunk_output.block2 trunk_output.block3 trunk_output.block4"),
    ("densenet*", "features.denseblock1 features.denseblock2 features.denseblock3 features.denseblock4"),
    ("googlenet", "- inception3b inception4e inception5b"),
    ("inception_v3", "- Mixed_5d Mixed_6e Mixed_7c"),
    ("convnext_*", "features.1 features.3 features.5 features.7"),
    ("swin_*", "features.1 features.3 features.5 features.7"),
    ("maxvit_t", "blocks.0 blocks.1 blocks.2 blocks.3"),
    ("efficientnet_b0", "features.2 features.3 features.5 features.6"),
    ("efficientnet_b[1-7]", "features.2 features.3 features.5 features.7"),
    ("efficientnet_v2_s", "features.2 features.3 features.5 features.6"),
    ("efficientnet_v2_[ml]", "features.2 features.3 features.5 features.7"),
    ("mobilenet_v2", "features.3 features.6 features.13 features.16"),
    ("mobilenet_v3_large", "features.3 features.6 features.12 features.15"),
    ("mobilenet_v3_small", "features.1 features.3 features.8 features.11"),
    ("mnasnet*", "layers.8 layers.9 layers.11 layers.12"),
    ("shufflenet_v2_*", "- stage2 stage3 stage4"),
    ("squeezenet1_0", "features.5 features.10 features.12 -"),
    ("squeezenet1_1", "features.4 features.7 features.12 -"),
    ("alexnet", "features.1 features.4 features.11 -"),
    ("vgg11", "features.9 features.14 features.19 -"),
    ("vgg13", "features.13 features.18 features.23 -"),
    ("vgg16", "features.15 features.22 features.29 -"),
    ("vgg19", "features.17 features.26 features.35 -"),
    ("vgg11_bn", "features.13 features.20 features.27 -"),
    ("vgg13_bn", "features.19 features.26 features.33 -"),
    ("vgg16_bn", "features.22 features.32 features.42 -"),
    ("vgg19_bn", "features.25 features.38 features.51 -"),
)

# What the papers on the network (and the tools that came with them) call its blocks.
_INCEPTION = {f"mixed{block}": f"inception{block}" for block in "3a 3b 4a 4b 4c 4d 4e 5a 5b".split()}


def aliases_of(network: str) -> dict[str, str]:
    """{alias: module} for the name of a network; empty where its family has no maps of several strides, or is not known."""
    modules = next((modules.split() for pattern, modules in TABLE if fnmatchcase(network, pattern)), [])
    found = {block: module for block, module in zip(BLOCKS, modules, strict=False) if module != "-"}
    return {**found, **_INCEPTION} if network == "googlenet" else found
