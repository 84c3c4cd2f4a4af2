"""Mutated files: only the one error, or what was read; nothing slow, nothing large."""

import random
from pathlib import Path

import pytest
from mutations import mutated
from readers import READERS, Rules

from lab import cached, npz

INPUTS = 2000


@pytest.mark.parametrize("name", READERS)
@pytest.mark.filterwarnings("ignore")  # of Pillow, about odd pictures
def test_mutated_files(name, tmp_path, monkeypatch):
    """The seeds are accepted; of their mutations some are, and the rest is refused in one line.

    What the cache holds is thrown away in place of that.
    """
    monkeypatch.setattr(cached, "tell", lambda text: None)
    monkeypatch.chdir(tmp_path)  # short names in messages
    reader, chance = READERS[name], random.Random(name)
    rules, seeds = Rules(reader, Path()), reader.seeds()
    for seed in seeds:
        rules.read(seed)
    assert rules.accepted == rules.inputs == len(seeds)
    for _ in range(INPUTS):
        content = chance.choice(seeds)
        for _ in range(chance.choice((1, 1, 1, 3))):
            content = mutated(content, chance)
        rules.read(content)
    made_again = name in ("features", "key", "hashes")
    assert (rules.thrown_away if made_again else rules.refused) > INPUTS / 20
    assert not (rules.refused if made_again else rules.thrown_away)


def test_a_planted_fault_is_found(tmp_path, monkeypatch):
    """A reader that takes a shape as it is lets NumPy's error out."""
    monkeypatch.setattr(npz, "array_size", lambda shape, dtype, room: room - 128)
    monkeypatch.chdir(tmp_path)
    reader, chance = READERS["npz"], random.Random(1)
    rules, seeds = Rules(reader, Path()), reader.seeds()
    with pytest.raises(TypeError, match="buffer is too small"):
        for _ in range(INPUTS):
            rules.read(mutated(chance.choice(seeds), chance))
