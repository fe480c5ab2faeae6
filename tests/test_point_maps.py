"""Maps of points: where they lie, which are taken, what is told meanwhile; the same bytes however they are made."""

import subprocess
import sys

import numpy as np
import pytest
import sklearn.manifold

import exporter
from exporter.errors import UsageError
from exporter.point_maps import MapRequest, Points, draw_maps, map_request
from exporter.progress import silent
from exporter.tables import decode_table, encode_table
from exporter.verify import verify_files
from tests.conftest import contents, invoke, make_photo, recorded_progress, refused

BOTH = MapRequest(("pca", "tsne"), 3000)


class MadeMaps:
    """Feature maps of given images: arrays (rows, cols, channels)."""

    def __init__(self, images):
        self._images = images
        self.grids, self.channels = [image.shape[:2] for image in images], images[0].shape[2]

    def read(self, image):
        return self._images[image].reshape(-1, self.channels).astype(np.float32)


def made(*grids, channels=8, seed=0):
    random = np.random.default_rng(seed)
    return [random.normal(0.4, 1, (rows, cols, channels)) for rows, cols in grids]


def draw(images, wanted=BOTH, originals=None, progress=silent):
    """{(method, of): (map, items, coordinates as fractions (points, 2))}"""
    written = {}

    def write(name, values, type):
        written[name] = np.array(values)
        encode_table(values, type)  # the type holds the numbers
        return name

    maps = list(draw_maps(Points(MadeMaps(images), len(images) if originals is None else originals), "layer", wanted, write, progress))
    return {(one.method, one.of): (one, written[one.items][0], written[one.coordinates].T / 65535) for one in maps}


def units(images):
    flat = np.concatenate([image.astype(np.float32).astype(np.float64).reshape(-1, image.shape[2]) for image in images])
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)


def by_svd(vectors):
    """The first two principal components as a map shows them, by numpy's SVD: one scale, y downwards, the longer tail of each to the right or up."""
    centred = vectors - vectors.mean(axis=0)
    _, strengths, axes = np.linalg.svd(centred, full_matrices=False)
    places = centred @ axes[:2].T
    places *= np.where((places**3).sum(axis=0) < 0, -1, 1)
    middle, side = (places.max(axis=0) + places.min(axis=0)) / 2, np.ptp(places, axis=0).max()
    return (places - middle) / side * [1, -1] + 0.5, (strengths**2 / (strengths**2).sum())[:2]


def test_principal_components_of_patches_and_of_images():
    images = made((3, 4), (5, 2), (4, 4))
    found = draw(images, MapRequest(("pca",), 3000))
    assert list(found) == [("pca", "patches"), ("pca", "images")]
    means = np.stack([units([image]).mean(axis=0) for image in images])
    for of, vectors in (("patches", units(images)), ("images", means / np.linalg.norm(means, axis=1, keepdims=True))):
        entry, items, places = found["pca", of]
        expected, explained = by_svd(vectors)
        np.testing.assert_allclose(places, expected, atol=1e-5)
        np.testing.assert_allclose(entry.explained, explained, atol=1e-5)
        assert items.tolist() == list(range(len(vectors))) and entry.total == len(vectors) and entry.perplexity == 0
    assert np.ptp(places, axis=0).max() == 1


def test_versions_take_no_part():
    images = made((3, 4), (3, 4), (2, 2))
    assert draw(images, originals=2)["pca", "patches"][2].tobytes() == draw(images[:2])["pca", "patches"][2].tobytes()


def test_neighbours_of_clusters_stay_together():
    """Patches of three clearly different kinds: by t-SNE the nearest point of each is of its kind."""
    random = np.random.default_rng(3)
    kinds = random.integers(0, 3, (3, 5, 5))
    images = [np.eye(12)[kind] + 0.05 * random.normal(size=(5, 5, 12)) for kind in kinds]
    entry, _, places = draw(images)["tsne", "patches"]
    away = np.linalg.norm(places[:, None] - places, axis=2) + 9 * np.eye(len(places))
    assert (kinds.ravel()[away.argmin(axis=1)] == kinds.ravel()).all()
    assert entry.perplexity == 24 and entry.explained == ()


def test_past_the_limit_the_same_number_on_every_image():
    images = made((6, 6), (5, 8), (7, 4))
    entry, items, _ = draw(images, MapRequest(("pca",), 32))["pca", "patches"]
    starts = np.cumsum([0, 36, 40, 28])
    assert entry.total == 104 and len(items) == 30
    assert [((items >= a) & (items < b)).sum() for a, b in zip(starts, starts[1:], strict=False)] == [10, 10, 10]
    assert (np.diff(items.astype(int)) > 0).all()
    places, rows = draw(images, MapRequest(("pca",), 104))["pca", "patches"][1:][::-1]
    assert rows.tolist() == list(range(104)) and len(places) == 104


@pytest.mark.parametrize("grids", [[(1, 1)], [(1, 2)], [(1, 3)], [(1, 1), (1, 2), (2, 2)]])
@pytest.mark.parametrize("channels", [1, 6])
def test_few_points(grids, channels):
    found = draw(made(*grids, channels=channels))
    for of, count in (("patches", sum(rows * cols for rows, cols in grids)), ("images", len(grids))):
        for method in ("pca", "tsne"):
            places = found[method, of][2]
            assert places.shape == (count, 2) and ((places >= 0) & (places <= 1)).all()
        if count < 4:
            np.testing.assert_array_equal(found["tsne", of][2], found["pca", of][2])
        assert found["tsne", of][0].perplexity >= 1
    if sum(rows * cols for rows, cols in grids) == 1:
        np.testing.assert_allclose(found["pca", "patches"][2], 0.5, atol=1e-5)


def test_equal_features_lie_in_one_spot():
    for place in (one[2] for one in draw([np.ones((3, 3, 4)), np.full((2, 3, 4), 5.0), np.zeros((1, 2, 4)) + 2]).values()):
        np.testing.assert_allclose(place, 0.5, atol=1e-5)


def test_its_progress_is_told_and_nothing_is_printed(capsys):
    progress, told = recorded_progress()
    before = sys.stdout
    draw(made((4, 4), (3, 3)), progress=progress)
    assert told == [("t-SNE of layer, patches", 20, 20)]  # two images are placed without
    assert sys.stdout is before and capsys.readouterr() == ("", "")


def test_what_cannot_be_meant():
    assert map_request(["tsne", "pca", "tsne"], 50) == MapRequest(("tsne", "pca"), 50)
    for methods, points, words in ((["umap"], 50, 'unknown map "umap" in --map, expected one or more of pca, tsne'), ([], 50, 'unknown map ""'), (["pca"], 1, "--map-points is 1, expected 2 to 50000"), (["pca"], 50_001, "50001")):
        with pytest.raises(UsageError, match=words):
            map_request(methods, points)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mapped") / "photos"
    for seed, name in enumerate(["a.png", "cats/b.png", "cats/c.png", "dogs/d.png", "dogs/e.png"]):
        make_photo(folder / name, seed, [(96, 64), (64, 96), (80, 80)][seed % 3])
    return folder


def options(network, *more):
    return ["--model", network, "--layers", "shallow,deep", "--size", "64", "--map", "pca,tsne", "--map-points", "40", *more]


@pytest.fixture(scope="module")
def run(tmp_path_factory, photos, tiny_network):
    site = tmp_path_factory.mktemp("mapped") / "site"
    done = invoke("overlay-export", photos, "-o", site, *options(tiny_network, "--threads", "1"))
    assert done.exit_code == 0, done.stderr
    return site, done


def test_a_site_has_its_maps(run):
    site, done = run
    bundle = exporter.load_bundle(site)
    assert bundle.manifest.figures[-1].type == "map" and "tables" in done.stdout and done.stderr == ""
    for layer in bundle.layers:
        assert [(one.method, one.of) for one in layer.maps] == [("pca", "patches"), ("tsne", "patches"), ("pca", "images"), ("tsne", "images")]
        patches = sum(rows * cols for rows, cols in layer.grids)
        for one in layer.maps:
            total = patches if one.of == "patches" else 5
            assert one.total == total and one.items.shape == (1, min(40, total))
            places = decode_table((site / one.coordinates.file).read_bytes(), one.coordinates)
            assert np.ptp(places.astype(int), axis=1).max() == 65535
    assert patches > 40 and verify_files(bundle).tables == 12


def test_the_same_bytes_with_other_threads_and_from_python(run, photos, tiny_network, tmp_path):
    site, _ = run
    assert invoke("overlay-export", photos, "-o", tmp_path / "threads", *options(tiny_network, "--threads", "3")).exit_code == 0
    assert contents(tmp_path / "threads") == contents(site)
    code = (
        "import sys; from exporter import export;"
        "report = export(sys.argv[1], sys.argv[2], model=sys.argv[3], layers='shallow,deep', size=64, maps=['pca', 'tsne'], map_points=40);"
        "print([one.total for one in report.manifest.layers[1].maps])"
    )
    done = subprocess.run([sys.executable, "-c", code, photos, tmp_path / "python", tiny_network], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == str([one.total for one in exporter.load_bundle(site).layers[1].maps]) + "\n"
    assert contents(tmp_path / "python") == contents(site)


def test_the_figure_alone_asks_for_maps(photos, tiny_network, tmp_path):
    """On one page, where tables stand inline."""
    done = invoke("overlay-export", photos, "-o", tmp_path / "page.html", "--model", tiny_network, "--layers", "deep", "--size", "64", "--figures", "map", "--map-points", "20")
    assert done.exit_code == 0, done.stderr
    bundle = exporter.load_bundle(tmp_path / "page.html")
    assert len(bundle.layers[0].maps) == 4 and verify_files(bundle).tables == 6


@pytest.mark.parametrize(
    ("given", "words"),
    [(["--map", "pca,umap"], 'unknown map "umap" in --map'), (["--map", "pca", "--map-points", "1"], "--map-points is 1"), (["--map-points", "9"], "--map-points 9 without a map")],
)
def test_wrong_command_lines(photos, tiny_network, tmp_path, given, words):
    refused(invoke("overlay-export", photos, "-o", tmp_path / "site", "--model", tiny_network, "--layers", "deep", *given), 2, words)
    assert not (tmp_path / "site").exists()


def test_maps_that_no_figure_shows_are_told(photos, tiny_network, tmp_path):
    done = invoke("overlay-export", photos, "-o", tmp_path / "site", "--model", tiny_network, "--layers", "deep", "--size", "64", "--map", "pca", "--figures", "gallery")
    assert done.exit_code == 0 and "no figure of the page shows what --map makes; add map to --figures" in done.stderr


def test_an_interrupt_while_points_are_placed(run, photos, tiny_network, monkeypatch):
    site, _ = run
    before, stdout = contents(site), sys.stdout

    def interrupted(self, vectors):
        print("[t-SNE] Iteration 50: error = 70")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sklearn.manifold.TSNE, "fit_transform", interrupted)
        done = invoke("overlay-export", photos, "-o", site, *options(tiny_network, "--force"))
    assert (done.exit_code, done.stdout) == (1, ""), done.stderr
    assert contents(site) == before and sys.stdout is stdout
    assert invoke("overlay-export", photos, "-o", site, *options(tiny_network, "--force", "--resume")).exit_code == 0
    assert contents(site) == before and [path.name for path in site.parent.iterdir()] == ["site"]
