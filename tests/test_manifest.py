"""bundle.json: what is written can be read, and every member is checked."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.errors import BundleError
from exporter.manifest import Figure, Group, Image, Layer, Manifest, Network, Selection, SimilarityError, Thumbnail, Tried, to_json
from exporter.reading import covered, parse
from exporter.shards import Shard

GOOD = Path(__file__).parent / "fixtures" / "good" / "bundle.json"
untimed = settings(deadline=None, derandomize=True, max_examples=50)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
paths = st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,8}(/[A-Za-z0-9_-]{1,8})?", fullmatch=True)
numbers = st.floats(allow_nan=False, allow_infinity=False)
counts = st.integers(1, 10**6)


def triples():
    return st.tuples(numbers, numbers, numbers)


def unique(kind, least: int = 1):
    return st.lists(kind, min_size=least, max_size=4, unique_by=lambda item: item.id).map(tuple)


@st.composite
def layers(draw, networks, images):
    grids = tuple(draw(st.tuples(counts, counts)) for _ in range(images))
    ends = [*sorted(draw(st.sets(st.integers(1, images), max_size=2)) - {images}), images]
    starts = [0, *ends[:-1]]
    shards = tuple(Shard(draw(paths), draw(counts), draw(hashes), a, b - a) for a, b in zip(starts, ends, strict=True))
    low, high = sorted(draw(st.lists(numbers, min_size=2, max_size=2, unique=True)))
    error = draw(st.builds(SimilarityError, numbers, numbers, counts, counts))
    network = draw(st.sampled_from(networks)).id
    signed, centered = draw(st.booleans()), draw(st.booleans())
    tried = draw(st.lists(st.builds(Tried, texts, counts, texts, counts, numbers, numbers, counts), max_size=2).map(tuple))
    facts = draw(texts), draw(counts), draw(counts), draw(counts), signed, draw(texts)
    return Layer(draw(texts), network, *facts, (low, high), error, grids, shards, centered, draw(texts), draw(st.none() | numbers), tried)


@st.composite
def manifests(draw):
    """Any manifest that a writer may write."""
    sizes, prefixes = st.none() | st.tuples(counts, counts), st.none() | st.integers(0, 16)
    networks = draw(unique(st.builds(Network, texts, texts, texts, hashes, st.tuples(numbers, numbers), triples(), triples(), texts, sizes, prefixes)))
    thumbnails = st.none() | st.builds(Thumbnail, paths, counts, hashes, counts, counts)
    groups = draw(unique(st.builds(Group, texts, texts, texts), least=0))
    group_ids = st.sampled_from(["", *(group.id for group in groups)])
    images = draw(unique(st.builds(Image, texts, texts, group_ids, paths, counts, hashes, counts, counts, texts, texts, thumbnails)))
    made = draw(unique(layers(networks, len(images))))
    figures = tuple(draw(st.lists(st.builds(Figure, texts, st.dictionaries(texts, texts, max_size=2)), max_size=2)))
    image, layer = draw(st.integers(0, len(images) - 1)), draw(st.sampled_from(made))
    rows, cols = layer.grids[image]
    selection = Selection(images[image].id, layer.id, draw(st.integers(0, rows - 1)), draw(st.integers(0, cols - 1)))
    return Manifest(draw(texts), draw(texts), draw(texts), draw(counts), networks, groups, images, made, figures, draw(st.sampled_from([None, selection])))


@untimed
@given(manifests())
def test_what_is_written_can_be_read(content):
    assert parse(to_json(content)) == content


@untimed
@given(manifests())
def test_the_bytes_are_canonical(content):
    data = to_json(content)
    root = json.loads(data.decode("utf-8"))
    assert data == json.dumps(root, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    assert (root["format"], root["version"]) == ("overlay-export bundle", 1)
    assert ("selection" in root) == (content.selection is not None)
    for network, written in zip(content.networks, root["networks"], strict=True):
        assert ("weights" in written, "input_size" in written, "prefix_tokens" in written) == (
            network.weights != "", network.input_size is not None, network.prefix_tokens is not None,
        )
    assert ["thumbnail" in written for written in root["images"]] == [image.thumbnail is not None for image in content.images]
    assert ["centered" in written for written in root["layers"]] == [layer.centered for layer in content.layers]


TRIED = {"encoding": "int8-deflate", "dims": 5, "integers": "rotated, step 41", "bytes": 900, "max": 0.02, "rms": 0.004, "patches": 512}


def full():
    """The good fixture with every optional member."""
    root = json.loads(GOOD.read_bytes())
    root["networks"][0].update(weights="epoch3.pt", input_size=[48, 64], prefix_tokens=5)
    root["layers"][1].update(centered=True, integers="step 41", max_error=0.03, tried=[dict(TRIED)])
    return root


def test_optional_members():
    said, silent = parse(json.dumps(full()).encode()), parse(GOOD.read_bytes())
    (network,), (usual,) = said.networks, silent.networks
    assert (network.weights, network.input_size, network.prefix_tokens) == ("epoch3.pt", (48, 64), 5)
    assert (usual.weights, usual.input_size, usual.prefix_tokens) == ("", None, None)
    assert [layer.centered for layer in said.layers] == [False, True] and not any(layer.centered for layer in silent.layers)
    assert [(layer.integers, layer.max_error, layer.tried) for layer in said.layers] == [("", None, ()), ("step 41", 0.03, (Tried(**TRIED),))]
    root = full()
    root["networks"][0].update(weights="", prefix_tokens=0)
    root["layers"][1].update(centered=False, integers="", tried=[])
    del root["layers"][1]["max_error"]
    explicit = parse(json.dumps(root).encode())
    assert (explicit.networks[0].weights, explicit.networks[0].prefix_tokens) == ("", 0)
    assert explicit.layers == silent.layers
    assert parse(to_json(said)) == said and to_json(silent) == GOOD.read_bytes()


def test_neither_order_nor_spaces_matter():
    root = json.loads(GOOD.read_bytes())
    turned = json.dumps(dict(reversed(root.items())), indent=4).encode()
    assert parse(turned) == parse(GOOD.read_bytes())


def with_extra(value):
    """Every object with a member that no version knows yet."""
    if isinstance(value, dict):
        return {key: with_extra(member) for key, member in value.items()} | {"new in version 1.1": [None, {"deep": 1}]}
    return [with_extra(item) for item in value] if isinstance(value, list) else value


def test_unknown_members_are_ignored():
    root = json.loads(GOOD.read_bytes())
    attributes = [figure.pop("attributes") for figure in root["figures"]]
    extended = with_extra(root)
    for figure, kept in zip(extended["figures"], attributes, strict=True):
        figure["attributes"] = kept
    assert parse(json.dumps(extended).encode()) == parse(GOOD.read_bytes())


def members(value, path=()):
    """The path of every member of every object, but those of free objects."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in items:
        if isinstance(value, dict):
            yield (*path, key)
        if key != "attributes":
            yield from members(member, (*path, key))


def at(root, path):
    for key in path:
        root = root[key]
    return root


MEMBERS = list(members(full()))
OPTIONAL = [("selection",), *(("layers", 1, key) for key in ("centered", "integers", "max_error", "tried")), *(("networks", 0, key) for key in ("weights", "input_size", "prefix_tokens"))]


def name_of(path) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")


@pytest.mark.parametrize("path", MEMBERS, ids=name_of)
def test_every_member_is_needed_but_the_optional_ones(path):
    root = full()
    del at(root, path[:-1])[path[-1]]
    if path in OPTIONAL:
        found = parse(json.dumps(root).encode())
        assert found != parse(json.dumps(full()).encode())
        assert path != ("selection",) or found.selection is None
        return
    with pytest.raises(BundleError) as caught:
        parse(json.dumps(root).encode())
    said = str(caught.value)
    assert 'has no "format"' in said if path == ("format",) else f"bundle.json: {name_of(path)} is missing, expected" in said


@pytest.mark.parametrize("path", MEMBERS, ids=name_of)
def test_every_member_has_its_type(path):
    for value in (None, {"a": 1}, [[]]):
        root = full()
        at(root, path[:-1])[path[-1]] = value
        with pytest.raises(BundleError, match="^bundle.json"):
            parse(json.dumps(root).encode())


def refuse(edit, message: str) -> None:
    root = json.loads(GOOD.read_bytes())
    edit(root)
    with pytest.raises(BundleError, match=message):
        parse(json.dumps(root).encode())


def test_groups_and_networks_must_be_there():
    refuse(lambda root: root["images"][1].update(group="cats"), 'image "dog-2" refers to group "cats", which is not there; export the site again')
    refuse(lambda root: root["layers"][1].update(network="x"), 'layer "deep/block2" refers to network "x", which is not there')


def test_ids_of_networks_and_groups_are_unique():
    refuse(lambda root: root["networks"].append(root["networks"][0]), 'networks has the id "net" twice, expected unique ids')
    refuse(lambda root: root["groups"].append(root["groups"][0]), 'groups has the id "animals" twice, expected unique ids')


def test_preprocessing_has_its_numbers():
    refuse(lambda root: root["networks"][0].update(mean=[0.5, 0.5]), r"networks\[0\]\.mean is \[0\.5, 0\.5\], expected 3 numbers")
    refuse(lambda root: root["networks"][0].update(input_range=[0, True]), r"input_range is \[0, true\], expected 2 numbers")
    refuse(lambda root: root["networks"][0].update(std=["1", 1, 1]), r'std is \["1", 1, 1\], expected 3 numbers')
    refuse(lambda root: root["networks"][0].update(weights_sha256="abc"), 'weights_sha256 is "abc", expected 64 hex digits')


def test_sizes_and_counts_of_networks():
    refuse(lambda root: root["networks"][0].update(input_size=[224]), r"networks\[0\]\.input_size is \[224\], expected 2 integers of at least 1; export the site again")
    refuse(lambda root: root["networks"][0].update(input_size=[224, True]), r"input_size is \[224, true\], expected 2 integers")
    refuse(lambda root: root["networks"][0].update(prefix_tokens=1.0), r"networks\[0\]\.prefix_tokens is 1\.0, expected an integer of at least 0")
    refuse(lambda root: root["layers"][0].update(centered=1), r"layers\[0\]\.centered is 1, expected true or false")


def test_what_was_tried_has_types():
    refuse(lambda root: root["layers"][1].update(max_error="0.01"), r'layers\[1\]\.max_error is "0\.01", expected a number')
    refuse(lambda root: root["layers"][1].update(integers=5), r"layers\[1\]\.integers is 5, expected a string")
    refuse(lambda root: root["layers"][1].update(tried=[None]), r"layers\[1\]\.tried\[0\] is null, expected an object")
    for key, value in (("encoding", 1), ("dims", 0), ("integers", None), ("bytes", -1), ("max", "0"), ("rms", None), ("patches", 1.5)):
        refuse(lambda root, key=key, value=value: root["layers"][1].update(tried=[TRIED | {key: value}]), rf"layers\[1\]\.tried\[0\]\.{key} is ")


def test_attributes_of_figures_are_strings():
    refuse(lambda root: root["figures"][0].update(attributes={"row": 1}), r'figures\[0\]\.attributes is {"row": 1}, expected an object of strings')


def test_a_long_value_is_shortened():
    refuse(lambda root: root.update(title=["x" * 500]), r'title is \["x{50,60}…, expected a string')


@pytest.mark.parametrize("text", ["Infinity", "-Infinity", "NaN"])
def test_json_knows_no_such_numbers(text):
    with pytest.raises(BundleError, match=f"is not JSON .it holds {text}.; copy the whole site again"):
        parse(GOOD.read_bytes().replace(b'"size":48', f'"size":{text}'.encode()))


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b'{"title":"\xe9"}', b"[" * 100_000, b"1" * 5000], ids=["half UTF-16", "Latin-1", "deep", "long number"])
def test_bytes_that_are_no_json(data):
    with pytest.raises(BundleError, match="^bundle.json is not JSON"):
        parse(data)


def test_numbers_that_json_cannot_hold_are_not_written():
    content = parse(GOOD.read_bytes())
    broken = Layer(**{**vars(content.layers[0]), "range": (0.0, float("nan"))})
    with pytest.raises(ValueError, match="Out of range float"):
        to_json(Manifest(**{**vars(content), "layers": (broken,)}))


def test_covered_counts_images_of_consecutive_shards():
    def shard(first, count):
        return Shard("x", 0, "0" * 64, first, count)

    assert covered([]) == 0
    assert covered([shard(0, 2), shard(2, 3)]) == 5
    assert covered([shard(0, 2), shard(1, 3)]) is None
    assert covered([shard(0, 2), shard(3, 1)]) is None
    assert covered([shard(1, 2)]) is None
