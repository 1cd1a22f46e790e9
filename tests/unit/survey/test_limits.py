"""How often one link may be used."""

from services.survey.api.limits import PostLimit


def test_a_link_may_be_used_so_often_in_a_minute_and_no_more() -> None:
    limit = PostLimit(3)
    assert [limit.take("a", 0) for _ in range(5)] == [True, True, True, False, False]
    assert limit.take("b", 0)
    assert not limit.take("a", 19_999)
    assert limit.take("a", 20_000)
    assert not limit.take("a", 20_000)


def test_a_long_rest_fills_the_bucket_and_no_more() -> None:
    limit = PostLimit(2)
    limit.take("a", 0)
    assert [limit.take("a", 10_000_000) for _ in range(3)] == [True, True, False]


def test_only_so_many_links_are_remembered() -> None:
    limit = PostLimit(1, most_kept=2)
    assert [limit.take(key, 0) for key in "abc"] == [True, True, True]
    assert not limit.take("c", 0)
    assert limit.take("a", 0), "the one unused longest was forgotten"
