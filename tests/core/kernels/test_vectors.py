"""Vectors in kernels: every operation against numpy, on whole numbers, floating ones and masks."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imle_core.kernels import vectors
from imle_core.kernels.compiled import compiled
from imle_core.kernels.vectors import (
    LANES,
    SIDE,
    add,
    address,
    and_,
    any_less,
    below,
    convert,
    differing,
    fetch_add,
    fill,
    first_bit,
    lanes_of,
    less,
    load,
    lowered,
    maximum,
    minimum,
    movemask,
    multiply,
    or_,
    put,
    select,
    store,
    take,
    transpose,
)
from seeded import seeded, table

TYPES = [np.uint32, np.float64]


@compiled
def copied(array, at, out, to):
    store(out, to, load(array, at))


@compiled
def copied_by_address(array, at, out, to):
    source, target = address(array), address(out)
    store(target, to, load(source, at))


@compiled
def added(one, other, out):
    store(out, 0, add(load(one, 0), load(other, 0)))


@compiled
def smaller(one, other, out):
    store(out, 0, minimum(load(one, 0), load(other, 0)))


@compiled
def larger(one, other, out):
    store(out, 0, maximum(load(one, 0), load(other, 0)))


@compiled
def multiplied(one, other, out):
    store(out, 0, multiply(load(one, 0), load(other, 0)))


@compiled
def multiplied_and_added(one, other, third, out):
    store(out, 0, add(multiply(load(one, 0), load(other, 0)), load(third, 0)))


@compiled
def made_whole(array, out):
    store(out, 0, convert(load(array, 0), np.uint32))


@compiled
def made_double(array, out):
    store(out, 0, convert(load(array, 0), np.float64))


@compiled
def made_single(array, out):
    store(out, 0, convert(load(array, 0), np.float32))


@compiled
def chosen_if_less(one, other, out):
    store(out, 0, select(less(load(one, 0), load(other, 0)), load(one, 1), load(other, 1)))


@compiled
def chosen_if_between(low, middle, high, out):
    number = load(middle, 0)
    mask = and_(less(load(low, 0), number), less(number, load(high, 0)))
    store(out, 0, select(mask, fill(np.uint32(1)), fill(np.uint32(0))))


@compiled
def chosen_if_outside(low, middle, high, out):
    number = load(middle, 0)
    mask = or_(less(number, load(low, 0)), less(load(high, 0), number))
    store(out, 0, select(mask, fill(np.uint32(1)), fill(np.uint32(0))))


@compiled
def four_lowered(labels, costs, at, number):
    return lowered(address(labels), address(costs), at, number)


@compiled
def lowest(bits):
    return first_bit(bits)


@compiled
def length_of_difference(one, other):
    return differing(one, other)


@compiled
def bits_of_both(one, other, out):
    store(out, 0, and_(load(one, 0), load(other, 0)))


@compiled
def bits_of_either(one, other, out):
    store(out, 0, or_(load(one, 0), load(other, 0)))


@compiled
def filled(number, out, at):
    store(out, at, fill(number))


@compiled
def some_less(one, other):
    return any_less(load(one, 0), load(other, 0))


@compiled
def set_of_below(one, other):
    return movemask(below(load(one, 0), load(other, 0)))


@compiled
def moved(array, at, out, to):
    put(out, to, take(array, at))


@compiled
def moved_by_address(array, at, out, to):
    source, target = address(array), address(out)
    put(target, to, take(source, at))


@compiled
def put_number(out, at, number):
    put(out, at, number)


@compiled
def turned(rows, starts, first, at, lanes):
    transpose(address(rows), address(starts), first, at, address(lanes))


@compiled
def lanes_smaller(one, other):
    return movemask(less(load(one, 0), load(other, 0)))


@compiled
def counted_up(counter, times, seen):
    for _ in range(times):
        seen[fetch_add(counter, 3) // 3] += 1


def numbers(dtype, size):
    """Few values, so that many lanes tie; with the ends of the range of whole numbers."""
    values = range(6) if dtype is np.uint32 else [-2.5, -0.0, 0.0, 1.0, 1e300, np.inf, -np.inf]

    def entry(rng):
        if rng.random() < 0.5:
            return rng.choice(values)
        return rng.choice([2**32 - 1, rng.getrandbits(32)]) if dtype is np.uint32 else rng.uniform(-100, 100)

    return seeded(lambda rng: table(rng, entry, *np.atleast_1d(size), dtype=dtype))


def of_any_magnitude(rng):
    return rng.choice(
        [rng.uniform(-1, 1) * 10.0 ** rng.uniform(-320, 300), rng.uniform(-1e300, 1e300), rng.choice([-0.0, 0.0])]
    )


@st.composite
def pairs(draw, size=LANES):
    dtype = draw(st.sampled_from(TYPES))
    return draw(numbers(dtype, size)), draw(numbers(dtype, size))


class TestMemory:
    @pytest.mark.slow
    @pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint32, np.float32, np.float64])
    @pytest.mark.parametrize("copy", [copied, copied_by_address])
    def test_load_and_store_move_lanes_numbers_from_anywhere(self, dtype, copy):
        array = (np.arange(3 * LANES) * 7 % 251).astype(dtype)
        for at, to in ((0, 0), (1, 3), (17, 2), (2 * LANES, LANES)):
            out = np.full(3 * LANES, 99, dtype)
            expected = out.copy()
            expected[to : to + LANES] = array[at : at + LANES]
            copy(array, at, out, to)
            np.testing.assert_array_equal(out, expected)

    @settings(max_examples=30, deadline=None)
    @given(numbers(np.uint32, LANES), st.integers(0, LANES))
    def test_a_narrower_array_keeps_the_low_bits(self, array, to):
        out = np.full(2 * LANES, 77, np.uint8)
        copied(array, 0, out, to)
        np.testing.assert_array_equal(out[to : to + LANES], array & 255)
        assert (np.delete(out, np.s_[to : to + LANES]) == 77).all()

    @pytest.mark.parametrize("number", [np.uint32(2**32 - 1), np.float64(-1e300), np.float32(0.1), np.int32(-5)])
    def test_fill(self, number):
        out = np.zeros(2 * LANES, type(number))
        filled(number, out, 3)
        np.testing.assert_array_equal(out, np.where((np.arange(2 * LANES) - 3) // LANES == 0, number, type(number)(0)))

    @pytest.mark.parametrize("move", [moved, moved_by_address])
    def test_take_and_put_cast_to_the_type_of_what_is_written_to(self, move):
        for source, target in ((np.float64, np.float32), (np.int64, np.uint8), (np.uint8, np.float64), (np.int32, np.int64)):
            array, out = np.array([3, 250, 7], source), np.zeros(4, target)
            move(array, 1, out, 2)
            assert out.tolist() == [0, 0, 250, 0]

    def test_put_of_a_python_number(self):
        out = np.zeros(3, np.uint8)
        put_number(out, 1, 1)
        put_number(out, 2, 257)
        assert out.tolist() == [0, 1, 1]
        rounded = np.zeros(1, np.float32)
        put_number(rounded, 0, 0.1)
        assert rounded[0] == np.float32(0.1)

    def test_an_index_may_have_any_whole_type(self):
        array, out = np.arange(2 * LANES, dtype=np.float64), np.zeros(2 * LANES)
        for kind in (np.int32, np.uint8, np.int64):
            moved(array, kind(5), out, kind(9))
            assert out[9] == 5


class TestOperations:
    @pytest.mark.slow
    @settings(max_examples=60, deadline=None)
    @given(numbers(np.uint32, LANES), numbers(np.uint32, LANES))
    def test_sums_of_unsigned_numbers_wrap_around(self, one, other):
        out = np.zeros(LANES, np.uint32)
        added(one, other, out)
        np.testing.assert_array_equal(out, (one.astype(np.uint64) + other).astype(np.uint32))

    def test_minus_one_is_the_largest_unsigned_number(self):
        out = np.zeros(LANES, np.uint32)
        added(np.arange(LANES).astype(np.uint32), np.full(LANES, 2**32 - 1, np.uint32), out)
        np.testing.assert_array_equal(out, [2**32 - 1, *range(LANES - 1)])

    @settings(max_examples=60, deadline=None)
    @given(seeded(lambda rng: table(rng, of_any_magnitude, 2, LANES)))
    def test_sums_of_floating_numbers_are_those_of_numpy_to_the_bit(self, values):
        out = np.zeros(LANES)
        added(values[0], values[1], out)
        np.testing.assert_array_equal(out.view(np.int64), (values[0] + values[1]).view(np.int64))

    @pytest.mark.slow
    @settings(max_examples=60, deadline=None)
    @given(pairs())
    def test_minimum(self, pair):
        out = np.zeros(LANES, pair[0].dtype)
        smaller(*pair, out)
        np.testing.assert_array_equal(out, np.minimum(*pair))

    @pytest.mark.slow
    @settings(max_examples=60, deadline=None)
    @given(pairs())
    def test_maximum(self, pair):
        out = np.zeros(LANES, pair[0].dtype)
        larger(*pair, out)
        np.testing.assert_array_equal(out, np.maximum(*pair))

    @pytest.mark.parametrize("operation", [smaller, larger])
    def test_beside_nan_the_second_is_taken(self, operation):
        nan, one, out = np.full(LANES, np.nan), np.ones(LANES), np.zeros(LANES)
        operation(nan, one, out)
        assert (out == 1).all()
        operation(one, nan, out)
        assert np.isnan(out).all()

    @pytest.mark.slow
    @settings(max_examples=60, deadline=None)
    @given(st.sampled_from([np.float32, np.float64]), st.integers(0, 2**32 - 1))
    def test_products_are_those_of_numpy_to_the_bit_also_beside_a_sum(self, dtype, seed):
        one, other, third = np.random.default_rng(seed).normal(size=(3, LANES)).astype(dtype)
        out = np.zeros(LANES, dtype)
        multiplied(one, other, out)
        np.testing.assert_array_equal(out, one * other)
        multiplied_and_added(one, other, third, out)
        np.testing.assert_array_equal(out, one * other + third)

    @pytest.mark.slow
    @settings(max_examples=60, deadline=None)
    @given(st.sampled_from([np.float32, np.float64]), st.integers(0, 2**32 - 1))
    def test_floating_numbers_are_cut_to_whole_ones(self, dtype, seed):
        rng = np.random.default_rng(seed)
        array = np.minimum(rng.random(LANES) * 2.0 ** rng.integers(0, 32, LANES), 2**31 - 128).astype(dtype)
        array[:3] = 0, 0.99, 2**31 - 128
        out = np.zeros(LANES, np.uint32)
        made_whole(array, out)
        np.testing.assert_array_equal(out, np.floor(array.astype(np.float64)))

    def test_numbers_are_widened_and_whole_ones_made_floating(self):
        narrow, out = np.linspace(-3, 1e30, LANES).astype(np.float32), np.zeros(LANES)
        made_double(narrow, out)
        np.testing.assert_array_equal(out, narrow)
        whole = np.linspace(0, 2**31 - 1, LANES).astype(np.uint32)
        made_double(whole, out)
        np.testing.assert_array_equal(out, whole)
        made_double(out.copy(), out)
        np.testing.assert_array_equal(out, whole)
        single = np.zeros(LANES, np.float32)
        made_single(whole, single)
        np.testing.assert_array_equal(single, whole.astype(np.float32))

    @pytest.mark.slow
    @settings(max_examples=60, deadline=None)
    @given(pairs(LANES + 1))
    def test_less_and_choose(self, pair):
        one, other = pair
        out = np.zeros(LANES, one.dtype)
        chosen_if_less(one, other, out)
        np.testing.assert_array_equal(out, np.where(one < other, np.roll(one, -1), np.roll(other, -1))[:LANES])

    def test_whole_numbers_are_compared_without_sign(self):
        one, other = np.full(LANES, 2**31 - 1, np.uint32), np.full(LANES, 2**31, np.uint32)
        out = np.zeros(LANES, np.uint32)
        smaller(one, other, out)
        np.testing.assert_array_equal(out, one)
        assert some_less(one, other)
        assert not some_less(other, one)

    @pytest.mark.slow
    @settings(max_examples=60, deadline=None)
    @given(st.sampled_from(TYPES).flatmap(lambda dtype: numbers(dtype, (3, LANES))))
    def test_masks_are_joined(self, values):
        low, middle, high = (np.ascontiguousarray(row) for row in values)
        out = np.zeros(LANES, np.uint32)
        chosen_if_between(low, middle, high, out)
        np.testing.assert_array_equal(out, (low < middle) & (middle < high))
        chosen_if_outside(low, middle, high, out)
        np.testing.assert_array_equal(out, (middle < low) | (high < middle))

    @pytest.mark.slow
    @settings(max_examples=40, deadline=None)
    @given(numbers(np.uint32, LANES), numbers(np.uint32, LANES))
    def test_whole_numbers_are_joined_bit_by_bit(self, one, other):
        out = np.zeros(LANES, np.uint32)
        bits_of_both(one, other, out)
        np.testing.assert_array_equal(out, one & other)
        bits_of_either(one, other, out)
        np.testing.assert_array_equal(out, one | other)

    @settings(max_examples=40, deadline=None)
    @given(numbers(np.uint32, (2, LANES)))
    def test_below_is_less_up_to_half_of_the_range(self, values):
        one, other = np.ascontiguousarray(values & np.uint32(2**31 - 1))
        assert set_of_below(one, other) == lanes_smaller(one, other)
        assert some_less(one, other) == (lanes_smaller(one, other) != 0)

    @pytest.mark.parametrize("dtype", TYPES)
    def test_some_sees_every_single_lane(self, dtype):
        zeros, ones = np.zeros(LANES, dtype), np.ones(LANES, dtype)
        assert not some_less(ones, zeros)
        for lane in range(LANES):
            one = ones.copy()
            one[lane] = 0
            assert some_less(one, ones)

    def test_nan_is_never_smaller(self):
        nan = np.full(LANES, np.nan)
        assert not some_less(nan, np.zeros(LANES))
        assert not some_less(np.zeros(LANES), nan)
        assert not some_less(nan, nan)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("places", [0, 1, 7])
def test_memory_for_vectors_begins_at_a_line_of_the_cache(dtype, places):
    made = [lanes_of(places, dtype) for _ in range(5)]
    for array in made:
        assert array.shape == (places * LANES,)
        assert array.dtype == dtype
        assert places == 0 or array.ctypes.data % 64 == 0
        assert not array.any()
        array[:] = 1


class TestTranspose:
    @pytest.mark.parametrize("dtype", [np.uint32, np.float32, np.float64])
    @pytest.mark.parametrize(("first", "at"), [(0, 0), (0, 5), (SIDE, 1), (3, 40)])
    def test_it_lays_rows_from_anywhere_side_by_side_and_writes_nothing_else(self, dtype, first, at):
        rows, starts = np.arange(900).astype(dtype) * 3 + 1, np.random.default_rng(0).integers(0, 800, LANES)
        lanes = np.full(LANES * SIDE + SIDE, 7, dtype)
        expected = lanes.copy()
        for i in range(SIDE):
            for j in range(SIDE):
                expected[LANES * i + first + j] = rows[starts[first + j] + at + i]
        turned(rows, starts, first, at, lanes)
        np.testing.assert_array_equal(lanes, expected)


class TestThreads:
    def test_every_number_is_fetched_once_whichever_thread_it_is(self):
        counter, seen = np.zeros(1, np.int64), np.zeros(400_000, np.uint8)
        counted_up(counter, 0, seen)
        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(counted_up, counter, 100_000, seen) for _ in range(4)]:
                done.result()
        assert counter[0] == 1_200_000
        assert (seen == 1).all()


class TestSets:
    @settings(max_examples=40, deadline=None)
    @given(st.integers(0, 2**LANES - 1))
    def test_a_mask_is_a_number_with_a_bit_for_each_lane(self, number):
        one = np.array([0 if number >> lane & 1 else 9 for lane in range(LANES)], np.uint32)
        assert lanes_smaller(one, np.full(LANES, 5, np.uint32)) == number
        assert lanes_smaller(one.astype(np.float64), np.full(LANES, 5.0)) == number


class TestNumbers:
    @pytest.mark.parametrize("at", [0, 1, 3])
    @pytest.mark.parametrize("expected", range(16))
    def test_what_a_sum_lowers_is_told_by_bits(self, at, expected):
        costs, is_lower = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]), np.zeros(7, bool)
        is_lower[at : at + 4] = [expected >> i & 1 for i in range(4)]
        assert four_lowered(np.where(is_lower, costs + 0.75, costs + 0.5), costs, at, 0.5) == expected

    def test_infinities_are_lowered_and_nan_never(self):
        labels, costs = np.array([np.inf, np.nan, np.inf, 5.0]), np.array([1.0, 1.0, np.inf, np.nan])
        assert four_lowered(labels, costs, 0, 0.0) == 1

    @pytest.mark.parametrize("bit", range(63))
    def test_the_lowest_bit(self, bit):
        assert lowest(2**bit) == lowest(2**62 | 2**bit) == bit

    @pytest.mark.slow
    @settings(max_examples=200, deadline=None)
    @given(st.floats(0, None, allow_nan=False), st.floats(0, None, allow_nan=False))
    def test_up_to_which_bit_numbers_differ(self, one, other):
        movemask = int(np.float64(one + 0.0).view(np.int64)) ^ int(np.float64(other + 0.0).view(np.int64))
        assert length_of_difference(one + 0.0, other + 0.0) == movemask.bit_length()
        assert length_of_difference(one + 0.0, one + 0.0) == 0


def test_types_are_told_apart():
    real, whole = vectors.Vector(vectors.types.float64), vectors.Vector(vectors.types.uint32)
    assert real != whole
    assert real.is_float
    assert not whole.is_float
    assert vectors.Vector(vectors.types.uint32) == whole
    assert vectors.Mask() == vectors.MASK
