"""Links between customers: whoever is linked is one person, and undoing a link gives back what was before."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.merging import differing, handles_of, proves, with_attributes
from services.ingest.domain.model import Customer
from services.ingest.domain.persons import (
    MOST_LINKED,
    Link,
    Membership,
    SamePerson,
    TooManyLinked,
    alone,
    join,
    next_version,
    separate,
)
from services.ingest.domain.visitors import goes_on

NAMES = [f"c{number}" for number in range(7)]
STEPS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(0, 9)), min_size=1, max_size=30
)


def _link(one: str, other: str, version: int) -> Link:
    return Link(f"{one}+{other}@{version}", one, other, version, "same", "anna", (), 1)


def _groups(rows: dict[str, Membership]) -> set[frozenset[str]]:
    return {frozenset(one.members) for one in rows.values()}


@given(STEPS)
def test_members_are_who_is_linked_now_and_every_step_is_newer_for_all_it_concerns(
    steps: list[tuple[str, str, int]],
) -> None:
    rows = {name: alone(name) for name in NAMES}
    held: dict[str, Link] = {}
    for one, other, choice in steps:
        before = dict(rows)
        if choice < 4 and held:
            undone = held.pop(sorted(held)[choice % len(held)])
            member = rows[undone.customer_id]
            version = next_version(rows[each] for each in member.members)
            among = [each for each in (*held.values(), undone) if each.link_id in member.links]
            after = separate(undone, among, member, version)
            assert {each.customer_id for each in after} == set(member.members)
        else:
            both = [rows[each] for each in {*rows[one].members, *rows[other].members}]
            made = _link(one, other, next_version(both))
            try:
                after = join(made, rows[one], rows[other])
            except SamePerson:
                continue
            held[made.link_id] = made
        rows.update({each.customer_id: each for each in after})
        assert all(each.version > before[each.customer_id].version for each in after)
        for each in rows.values():
            assert each.customer_id in each.members
            assert each.person_id in each.members
            assert rows[each.person_id].members == each.members
            assert set(each.links) == {
                link.link_id for link in held.values() if link.customer_id in each.members
            }
        # The groups are those that the links left would have made from nothing.
        fresh = {name: alone(name) for name in NAMES}
        for link in held.values():
            for each in join(link, fresh[link.customer_id], fresh[link.joined_customer_id]):
                fresh[each.customer_id] = each
        assert _groups(rows) == _groups(fresh)


def test_a_person_does_not_grow_without_end() -> None:
    crowd = tuple(f"x{number}" for number in range(MOST_LINKED))
    with pytest.raises(TooManyLinked):
        join(_link("x0", "one", 1), Membership("x0", "x0", 1, crowd, ()), alone("one"))


def _customer(*identities: tuple[str, str, str, bool], **fields: str) -> Customer:
    return Customer("c1", fields.get("name", ""), fields.get("address", ""), "", 1, identities)


def test_numbers_are_the_same_however_a_provider_writes_them_and_only_vouched_ones_prove() -> None:
    customer = _customer(
        ("whatsapp", "shop", "40722000111", True),
        ("sms", "shop", "+40722000111", False),
        ("whatsapp", "shop", "US.12345678901", True),
        ("mail", "default", "ada@shop.example", False),
        ("chat", "shop", "+40722000999", True),
        address="Ada@shop.example",
    )
    assert handles_of(customer) == {"phone:+40722000111": True, "mail:ada@shop.example": False}
    assert proves("phone:+40722000111", True, True)
    assert not proves("phone:+40722000111", True, False)
    assert not proves("mail:ada@shop.example", True, True), "anybody can write such an address"


def test_fields_conflict_where_both_say_something_else() -> None:
    one = with_attributes(_customer(name="Ada"), {"plan": "gold", "size": "m", "gone": None})
    other = with_attributes(replace(_customer(name="A. Lovelace"), address="a@x.example"), {"plan": "free"})
    assert list(differing(one, other)) == [
        ("display_name", "Ada", "A. Lovelace"),
        ("attributes.plan", "gold", "free"),
    ]
    assert one.attributes == (("plan", "gold"), ("size", "m"))


def test_who_signs_in_goes_on_where_something_is_open_and_newest() -> None:
    assert goes_on(("browser", False, 5), ("app", False, 9)) == "app"
    assert goes_on(("browser", False, 5), ("app", True, 9)) == "browser"
    assert goes_on(("browser", True, 5), None) == "browser"
    assert goes_on(None, None) == ""
