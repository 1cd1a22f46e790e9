"""Customers and the persons they are, as they go over HTTP."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.ingest.api.schemas import Id

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
AttributeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{0,49}$")]
AttributeValue = Annotated[str, StringConstraints(max_length=500)]
MOST_ATTRIBUTES = 50


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LinkIn(_In):
    """Another customer who is the same person."""

    customer_id: Id
    reason: Reason


class UndoIn(_In):
    """Why a link does not hold."""

    reason: Reason


class DecisionIn(_In):
    """What a person makes of a proposal."""

    decision: Literal["link", "dismiss"]
    reason: Reason


class ChoiceIn(_In):
    """Whose value holds."""

    customer_id: Id


class DetailsIn(_In):
    """What the operator's systems say of a customer. What is not named stays."""

    tier: Annotated[str, StringConstraints(max_length=50)] | None = None
    attributes: Annotated[dict[AttributeName, AttributeValue | None], Field(max_length=MOST_ATTRIBUTES)] = (
        Field(default={}, description="By name; null removes one")
    )


class IdentityOut(BaseModel):
    """One way in which a customer is known."""

    customer_id: str
    channel: str
    account: str
    external_id: str
    verified: bool = Field(description="Its provider or the operator vouches for it")


class LinkOut(BaseModel):
    """Two customers who were found to be one person."""

    link_id: str
    customer_id: str
    joined_customer_id: str
    reason: str
    actor: str = Field(description="The person who decided it, or rule:NAME")
    evidence: list[str]
    linked_at: str
    undone_at: str | None = Field(description="null while it holds")
    undone_by: str | None
    undone_reason: str | None


class ConflictOut(BaseModel):
    """A field in which two customers of one person do not agree."""

    conflict_id: str
    person_id: str
    link_id: str
    field: str
    values: dict[str, str] = Field(description="By customer; until it is decided the person's own holds")
    state: str = Field(description="waiting, decided or withdrawn")
    chosen: str | None = Field(description="The customer whose value holds")
    decided_by: str | None


class ProposalOut(BaseModel):
    """Two customers who may be one person."""

    proposal_id: str
    customers: list[str]
    evidence: list[str]
    state: str = Field(description="waiting, linked or dismissed")
    created_at: str
    decided_by: str | None
    reason: str | None


class CustomerOut(BaseModel):
    """A customer with everything that is known of the person."""

    customer_id: str
    person_id: str = Field(
        description="The customer by whose id the person is known; the same while not linked"
    )
    customer_ids: list[str] = Field(description="All customers of the person")
    display_name: str
    address: str
    language: str
    tier: str
    attributes: dict[str, str]
    first_seen_at: str
    identities: list[IdentityOut]
    links: list[LinkOut] = Field(description="Undone ones too, the oldest first")
    conflicts: list[ConflictOut] = Field(description="Those that wait for a person")


class FoundOut(BaseModel):
    """The customer of an identity."""

    customer_id: str
    person_id: str
