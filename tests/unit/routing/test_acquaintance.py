"""Whom a customer knows follows from episodes and answers, whatever their order."""

from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.acquaintance import KNOWN_MS, Served, answer_name, avoided, preferred, remembered
from services.routing.domain.standing import YEAR_MS, Experience

NOW = 10 * YEAR_MS
_EPISODES = st.lists(
    st.tuples(
        st.sampled_from("ab"), st.integers(1, 5), st.sampled_from(("ada", "bo", "cy")), st.integers(0, NOW)
    ),
    max_size=40,
    unique_by=lambda e: (e[0], e[1]),
)


@given(_EPISODES, st.dictionaries(st.tuples(st.sampled_from("ab"), st.integers(1, 5)), st.booleans()))
def test_nobody_avoided_is_preferred_and_the_order_of_the_news_does_not_matter(
    episodes: list[tuple[str, int, str, int]], answers: dict[tuple[str, int], bool]
) -> None:
    known: dict[str, Served] = {}
    back: dict[str, Served] = {}
    for there, here in zip(episodes, reversed(episodes), strict=True):
        known = remembered(known, answer_name(there[0], there[1]), Served(there[2], there[3]))
        back = remembered(back, answer_name(here[0], here[1]), Served(here[2], here[3]))
    assert known == back
    ledger = {answer_name(*of): Experience(NOW - 1, "bad" if bad else "good") for of, bad in answers.items()}
    out = avoided(known, ledger, NOW)
    assert set(out) == {who for c, n, who, _ in episodes if answers.get((c, n))}
    first = preferred(known, NOW, out)
    recent = [(at, who) for *_, who, at in episodes if NOW - at < KNOWN_MS and who not in out]
    assert first == (max(recent)[1] if recent else "")


def test_the_newest_twenty_are_kept_and_a_bad_answer_fades_after_a_year() -> None:
    known: dict[str, Served] = {}
    for number in range(25):
        known = remembered(known, answer_name("c", number), Served(f"a{number}", number))
    assert sorted(s.at_ms for s in known.values()) == list(range(5, 25))
    ledger = {answer_name("c", 10): Experience(NOW, "bad")}
    assert avoided(known, ledger, NOW + YEAR_MS - 1) == ("a10",)
    assert avoided(known, ledger, NOW + YEAR_MS) == ()
