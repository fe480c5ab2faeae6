"""From a recipe to a model: out of the cache, converted, or as it is in torch."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import exporter
from exporter.errors import ModelError
from exporter.models import cache, graph
from exporter.models.model import Model, multiple
from exporter.models.preprocessing import Preprocessing
from exporter.models.recipe import Built, Options, Recipe, short_name
from exporter.models.session import OnnxModel
from exporter.models.torch_model import CPU, TorchModel

# Part of the cache's key: count it up whenever conversion gives another graph or table.
CONVERSION = 3

Adjust = Callable[[Preprocessing], Preprocessing]


def open_recipe(recipe: Recipe, options: Options, adjust: Adjust, threads: int | None, notify: Callable[[str], None]) -> Model:
    """The model of a recipe. adjust: what the user wants otherwise about the preprocessing.

    On the CPU it is a graph, converted and cached where it is not yet; own code, networks without a graph that is right at every size,
    and accelerators run in torch. Raises as `open_model`.
    """
    on_cpu = options.device == CPU
    key = recipe.key and cache.key(*recipe.key, options.weights.key, options.weights.text, options.size, options.prefix_tokens, on_cpu, CONVERSION, exporter.__version__)
    entry = cache.load(key) if key else None
    if entry is not None:
        return _model(recipe, options, entry, adjust, recipe.build, (), key)
    entry, built = _make(recipe, options, threads, notify)
    notes = _keep(key, entry) if key else ()
    return _model(recipe, options, entry, adjust, lambda: built, notes, None if notes else key)


def _make(recipe: Recipe, options: Options, threads: int | None, notify: Callable[[str], None]) -> tuple[cache.Entry, Built]:
    try:
        from exporter.models import convert, tap
    except ImportError as error:
        raise ModelError(f"{recipe.title} cannot be loaded ({error}): expected torch and onnxscript; install overlay-export again.") from error
    built = recipe.build()
    data, why = None, ""
    with convert.bounded(threads):
        found, size = tap.find_layers(built, recipe.title, options.prefix_tokens)
        if recipe.key and options.device == CPU and (recipe.dynamic or size):
            notify(f"Converting {recipe.title} to ONNX (once) ...")
            try:
                data = convert.convert(built, found, size, recipe.title)
            except convert.NoGraph as error:
                why = f"{recipe.title} runs in torch, which is slower: {error}"
        elif recipe.key and options.device == CPU:
            why = f"{recipe.title} runs in torch, which is slower: a graph of it would be wrong at other sizes than the one it is made at; --input-size makes one for that size"
        elif recipe.key is None and (changing := tap.changing_layer(built, found, size)):
            why = f"{recipe.title} gives other values each time it runs, first at '{changing}': is there dropout or noise in its forward? Exports will differ"
    facts = {"name": built.name, "weights_sha256": built.weights_sha256, "pixels": asdict(built.preprocessing), "size": size, "why": why}
    return cache.Entry(data, found.layers, found.unavailable, facts), built


def _keep(key: str, entry: cache.Entry) -> tuple[str, ...]:
    """Put it into the cache; what the user should know where that fails."""
    try:
        cache.store(key, entry)
    except OSError as error:
        return (
            f"the model cache {cache.folder()} cannot be written ({error.strerror or error}), the network is converted again each time; "
            "set OVERLAY_EXPORT_CACHE to a folder that can be written",
        )
    return ()


def _model(
    recipe: Recipe, options: Options, entry: cache.Entry, adjust: Adjust, built: Callable[[], Built], notes: tuple[str, ...], key: str | None
) -> Model:
    """key: where the cache has the graph, which is then not held in memory."""
    facts = entry.facts
    own = Preprocessing(**{name: tuple(values) for name, values in facts["pixels"].items()})
    common = {
        "name": facts["name"],
        "id": short_name(recipe.source),
        "source": recipe.source,
        "weights": options.weights.text,
        "prefix_tokens": options.prefix_tokens,
        "weights_sha256": facts["weights_sha256"],
        "preprocessing": adjust(own),
        "layer_table": entry.layers,
        "unavailable": entry.unavailable,
        "multiple": 1 if facts["size"] else multiple(entry.layers),
        "fixed_size": facts["size"] and tuple(facts["size"]),
        "notes": (*notes, *filter(None, [facts["why"]])),
    }
    if entry.graph is None:
        return TorchModel(**common, built=built, device=options.device)
    return OnnxModel(**common, read=partial(_read_again, key, cache.folder(), facts["name"]) if key else partial(graph.parse, entry.graph, facts["name"]))


def _read_again(key: str, place: Path, name: str) -> "graph.onnx.ModelProto":
    entry = cache.load(key, place)
    if entry is None or entry.graph is None:
        raise ModelError(f"The graph of {name} has gone from the model cache {place} or was damaged meanwhile: expected it to stay during a run; run the command again.")
    return graph.parse(entry.graph, name)
