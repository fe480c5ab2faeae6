"""Whose map is factorised in place of a layer's own, by family: where the parts of a signed map give factors without a meaning, and a map of the same grid has some.

Of such a map only the positive part counts, as the ReLU behind it leaves it.
"""

# By the source of a network: {module of a layer: module that is factorised for it}.
TABLE: dict[str, dict[str, str]] = {
    # The next block's expansion: 672 channels, before a ReLU6. Split, the 112 signed channels of the sum it reads give texture all over, no things.
    "efficientnet-lite0": {"_blocks.10": "_blocks.11._bn0"},
}


def tap_of(network: str, module: str) -> str | None:
    """The module that is factorised for a layer of a network; None: its own."""
    return TABLE.get(network, {}).get(module)
