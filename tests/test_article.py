"""The six photos of the article, where they are at hand: a dog's muzzle finds the other animals' faces, not their backgrounds."""

import pytest

from exporter import export, load_bundle


@pytest.fixture(scope="module")
def muzzle(tmp_path_factory, cases, model_cache):
    """Similarities with the patch on the dog's muzzle at block4: {image id: (14, 14)}."""
    site = tmp_path_factory.mktemp("article") / "site"
    export(cases / "article", site, layers="block4")
    return load_bundle(site).similarity("dog_cat", "block4", 4, 5)


@pytest.mark.parametrize(
    ("image", "face", "background"),
    [
        ("pig", (slice(9, 13), slice(6, 11)), (slice(0, 9), slice(0, 6))),
        ("dog_cat", (slice(4, 7), slice(8, 11)), (slice(0, 3), slice(7, 14))),
        ("chain", (slice(2, 6), slice(5, 8)), (slice(0, 2), slice(0, 14))),
    ],
    ids=["pig's snout", "kitten's face", "bird's head"],
)
def test_faces_light_up_more_than_backgrounds(muzzle, image, face, background):
    assert muzzle[image][face].mean() > 1.5 * muzzle[image][background].mean()


def test_the_best_match_on_the_pig_is_its_snout(muzzle):
    row, col = divmod(int(muzzle["pig"].argmax()), 14)
    assert 9 <= row < 13 and 6 <= col < 11 and muzzle["pig"].max() > 0.45
