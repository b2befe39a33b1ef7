"""The cache is bounded in bytes, and a flood of newcomers leaves alone what is asked for again and again."""

import random

from app.core.cache import ByteBoundedCache


def test_what_was_kept_is_given_back() -> None:
    cache = ByteBoundedCache[str, str](1000)
    cache.put("a", "one", 10)
    assert (cache.get("a"), cache.get("a"), cache.get("b")) == ("one", "one", None)
    assert (len(cache), cache.bytes) == (1, 10)


def test_a_value_put_again_replaces_the_old_one_in_either_queue() -> None:
    cache = ByteBoundedCache[str, str](1000)
    cache.put("a", "one", 10)
    cache.put("a", "two", 20)
    assert (cache.get("a"), len(cache), cache.bytes) == ("two", 1, 20)
    cache.put("a", "three", 30)
    assert (cache.get("a"), len(cache), cache.bytes) == ("three", 1, 30)


def test_what_is_larger_than_its_queue_is_not_kept() -> None:
    cache = ByteBoundedCache[str, str](1000, newcomers_share=0.2)
    cache.put("a", "one", 201)
    assert (cache.get("a"), cache.bytes) == (None, 0)


def test_a_cache_of_no_bytes_keeps_nothing() -> None:
    cache = ByteBoundedCache[str, str](0)
    cache.put("a", "one", 1)
    assert cache.get("a") is None


def test_the_bound_holds_and_hot_keys_survive_fifty_thousand_newcomers() -> None:
    most = 1_000_000
    cache = ByteBoundedCache[int, bytes](most)
    hot = range(20)
    for key in hot:
        cache.put(key, b"", 2000)
        cache.get(key)
    for newcomer in range(100, 50_100):
        cache.put(newcomer, b"", 1000 + newcomer % 4000)
        assert cache.bytes <= most
        if newcomer % 500 == 0:
            assert all(cache.get(key) is not None for key in hot)
    assert all(cache.get(key) is not None for key in hot)


def test_bytes_are_the_sum_of_what_is_kept_after_anything() -> None:
    dice = random.Random(3)  # noqa: S311 - the same ones every time
    cache = ByteBoundedCache[int, int](5000)
    sizes: dict[int, int] = {}
    for _ in range(20_000):
        key = dice.randrange(60)
        match dice.randrange(4):
            case 0:
                sizes[key] = dice.randrange(1, 700)
                cache.put(key, sizes[key], sizes[key])
            case 1:
                cache.discard(key)
            case _:
                found = cache.get(key)
                assert found is None or found == sizes[key]
        assert 0 <= cache.bytes <= 5000
    cache.clear()
    assert (len(cache), cache.bytes) == (0, 0)
