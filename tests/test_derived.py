"""What is made of layers beside their codes, when a run is resumed: taken over to the byte, and made again where it is damaged or was not asked for."""

import signal

import pytest

from exporter import draft
from tests.test_resume import FEATURES, end, killed, left, pictures, resumed, same, short_parts  # noqa: F401

DERIVED = ["--figures", "map,pca,channels", "--map-points", "40"]


@pytest.mark.parametrize("damaged", [False, True])
def test_what_else_was_made_of_a_layer_is_taken_over_unless_it_is_damaged(pictures, tiny_network, monkeypatch, damaged):
    end(pictures, tiny_network, ("choose", 2), signal.SIGKILL, *DERIVED)
    if damaged:
        (table,) = left(pictures)[0].glob("site/tables/0-*-norms.bin")
        table.write_bytes(table.read_bytes()[:-1])
    calls, derive = [], draft.derive
    monkeypatch.setattr(draft, "derive", lambda *arguments: calls.append(1) or derive(*arguments))
    resumed(pictures, tiny_network, *DERIVED)
    assert len(calls) == 1 + damaged
    same(pictures, tiny_network, *DERIVED)


def test_what_else_is_asked_for_is_made_of_the_same_features(pictures, tiny_network, killed):
    killed(pictures, FEATURES)
    assert "6 of 10 images are taken over" in resumed(pictures, tiny_network, *DERIVED)
    same(pictures, tiny_network, *DERIVED)
