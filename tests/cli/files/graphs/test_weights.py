"""Which attribute of edges is their weight."""

from pathlib import Path

import pytest

from imle_cli.files.graphs.content import Edge
from imle_cli.files.graphs.weights import weights_of
from imle_cli.files.sources import SourceError
from refusals import refused

EQUAL = "--weight none to count each edge as 1"


def find(*records, name="weight"):
    weights, notes = weights_of(Path("g.gml"), [Edge("a", "b", record) for record in records], name)
    return weights.tolist(), notes


@pytest.mark.parametrize(
    ("name", "key"), [("weight", "weight"), ("weight", "Weight"), ("LENGTH", "length"), ("Travel Time", "travel time")]
)
def test_letter_case_does_not_matter(name, key):
    assert find({key: "2.5"}, {key: 3}, name=name) == ([2.5, 3.0], [])


def test_the_exact_name_goes_first():
    assert find({"Weight": 1, "weight": 2})[0] == [2]
    assert find({"Weight": 1, "weight": 2}, name="Weight")[0] == [1]
    with pytest.raises(SourceError, match="edges have 'Weight' and 'WEIGHT'; name one of them with --weight"):
        find({"Weight": 1, "WEIGHT": 2})


@pytest.mark.parametrize("name", ["none", "None", "NONE"])
def test_none_is_1_each(name):
    assert find({}, {"weight": 7}, name=name) == ([1.0, 1.0], [])


@pytest.mark.parametrize("key", ["length", "Distance", "cost", "capacity", "value", "travel_time", "label"])
def test_the_only_usual_name_is_taken_and_told(key):
    note = f"no edge has a weight; {key!r} is taken for it (--weight names another)"
    assert find({key: "2", "id": 7, "osmid": 9, "name": "x"}) == ([2.0], [note])


def test_a_label_is_the_last_choice():
    assert find({"label": "7", "length": "2"})[0] == [2]


@pytest.mark.parametrize(
    ("record", "numeric"),
    [
        ({"length": 1, "travel_time": 2}, "'length', 'travel_time'"),
        ({"lanes": 1, "id": 2, "osmid": 3, "key": 0, "from": 1, "to": 2}, "'lanes'"),
    ],
)
def test_several_names_are_not_chosen_between(record, numeric):
    message = f"edges have no 'weight'; numbers are in {numeric}: name one with --weight, or give {EQUAL}"
    assert refused("g.gml", find, record) == message


@pytest.mark.parametrize("record", [{}, {"id": 3}, {"length": "far"}, {"length": True}, {"length": None}, {"label": ""}])
def test_nothing_that_could_be_a_weight(record):
    assert refused("g.gml", find, record) == f"edges have no 'weight'; write one, or give {EQUAL}"


@pytest.mark.parametrize("name", ["id", "key", "osmid", "OSMID", "source"])
def test_identifiers_are_no_weights(name):
    rule = "tells edges apart and is no weight; name another with --weight, or give"
    assert refused("g.gml", find, {name: 3}, name=name) == f"{name!r} {rule} {EQUAL}"


def test_weights_that_some_edges_lack():
    message = f"2 of 3 edges have no 'weight' (first: the edge between 'a' and 'b'); write it, or give {EQUAL}"
    assert refused("g.gml", find, {"weight": 1}, {"weight": ""}, {}) == message


@pytest.mark.parametrize("value", ["heavy", "nan", "1e200", [1, 2], True])
def test_weights_that_are_no_numbers(value):
    rule = "it must be a number below 1e100, or inf; correct it"
    message = f"the edge between 'a' and 'b' has weight {str(value)!r}; {rule}"
    assert refused("g.gml", find, {"weight": value}) == message


def test_long_values_are_shortened():
    with pytest.raises(SourceError) as error:
        weights_of(Path("g.gml"), [Edge("a" * 500, "b" * 500, {"weight": "x" * 5000})], "weight")
    assert len(str(error.value)) <= 300
