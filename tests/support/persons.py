"""Links between customers, as ingest tells of them."""

from libs.contracts import CustomersLinked, CustomersUnlinked, Person


def linked(*customers: str, version: int = 1) -> CustomersLinked:
    """These are one person from now on, known by the first."""
    return CustomersLinked(
        link_id=f"{'+'.join(customers)}@{version}",
        customer_id=customers[0],
        joined_customer_id=customers[-1],
        persons=[Person(person_id=customers[0], customer_ids=customers)],
        version=version,
        actor="anna",
    )


def unlinked(*customers: str, version: int = 2) -> CustomersUnlinked:
    """Each is a person of their own again."""
    return CustomersUnlinked(
        link_id=f"{'+'.join(customers)}@{version - 1}",
        customer_id=customers[0],
        separated_customer_id=customers[-1],
        persons=[Person(person_id=one, customer_ids=[one]) for one in customers],
        version=version,
        actor="anna",
    )
