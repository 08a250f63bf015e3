"""A memory over an extractor that counts what it is given."""

from joblens.extractors.memory import MOST_SPANS, MemoryExtractor
from joblens.records import Entity


class Counting:
    """Finds the first word of a text."""

    name = "counting"
    fingerprint = "counting 1"

    def __init__(self):
        self.read = []

    def extract(self, texts):
        self.read += texts
        return [[Entity(0, len(text.split()[0]), "skill", text.split()[0], 0.625)] for text in texts]


def test_a_text_is_read_once_and_answered_the_same_again():
    inside = Counting()
    memory = MemoryExtractor(inside, size=10)
    first = memory.extract(["Kok søges", "Murer", "Kok søges"])
    assert memory.extract(["Murer", "Kok søges"]) == [first[1], first[0]]
    assert first[0] == first[2] == [Entity(0, 3, "skill", "Kok", 0.625)]
    assert inside.read == ["Kok søges", "Murer"]
    assert (memory.name, memory.fingerprint) == ("counting", "counting 1")


def test_what_was_not_asked_for_the_longest_is_forgotten():
    inside = Counting()
    memory = MemoryExtractor(inside, size=2)
    memory.extract(["a", "b"])
    memory.extract(["a"])
    memory.extract(["c"])  # b goes
    memory.extract(["a", "c", "b"])
    assert inside.read == ["a", "b", "c", "b"]
    assert len(memory) == 2


def test_a_call_larger_than_the_memory_is_answered_whole():
    memory = MemoryExtractor(Counting(), size=1)
    found = memory.extract(["a", "b", "c"])
    assert [entities[0].text for entities in found] == ["a", "b", "c"]


def test_a_text_with_very_many_spans_is_answered_and_not_remembered():
    class Many(Counting):
        def extract(self, texts):
            return [super(Many, self).extract([text])[0] * len(text) for text in texts]

    inside = Many()
    memory = MemoryExtractor(inside, size=10)
    few, many = "a" * MOST_SPANS, "b" * (MOST_SPANS + 1)
    for _ in range(2):
        assert [len(entities) for entities in memory.extract([few, many])] == [64, 65]
    assert inside.read == [few, many, many]
    assert len(memory) == 1


def test_changing_an_answer_does_not_change_what_is_remembered():
    memory = MemoryExtractor(Counting(), size=5)
    memory.extract(["a"])[0].clear()
    assert len(memory.extract(["a"])[0]) == 1


def test_no_text_is_kept():
    memory = MemoryExtractor(Counting(), size=5)
    memory.extract(["Anna Hansen"])
    assert "Anna" not in repr(vars(memory))
    assert "Hansen" not in repr(vars(memory))
