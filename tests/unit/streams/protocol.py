"""The protocol of one partition as a small state machine: append, relay, claim, fence, batch, position.

Two relays and two owners, each of which may crash at any step, be taken over while it sleeps, and go on afterwards. A
step here is what is atomic there: a transaction, a message that the broker takes, a read. `explore` visits every state
that can be reached within the bounds.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

ROWS = 2
TAKEOVERS = 3
"""How often a relay, and how often an owner, may claim in a run."""
SENT = 4
"""Messages on the topic, at most."""


class Relay(NamedTuple):
    """A relay's memory. `epoch` 0 = it has claimed nothing."""

    epoch: int = 0
    number: int = 0
    stored: bool = True
    """Nothing was sent since the position was stored."""


class Owner(NamedTuple):
    """A reader's memory. `epoch` 0 = it has claimed nothing."""

    epoch: int = 0
    number: int = 0
    offset: int = 0
    hand: int = 0
    """The number of the message in hand, 0 = none."""
    done: bool = False
    """With positions after effects: the effects of the message in hand are committed."""


class State(NamedTuple):
    """Everything that lasts, and everybody's memory."""

    rows: int = 0
    """Rows appended, numbered 1, 2, ..."""
    topic: tuple[int, ...] = ()
    """Numbers on the broker, in the order of their offsets."""
    relay_epoch: int = 0
    relay_number: int = 0
    epoch: int = 0
    number: int = 0
    offset: int = 0
    effects: tuple[int, ...] = ()
    lost: bool = False
    """A reader saw a jump and stopped."""
    relays: tuple[Relay, ...] = (Relay(), Relay())
    owners: tuple[Owner, ...] = (Owner(), Owner())


class Faults(NamedTuple):
    """Safeguards that are taken out."""

    no_fence: bool = False
    position_after_effects: bool = False
    relay_without_order: bool = False
    relay_position_before_sending: bool = False
    repeats_kept: bool = False


def _relay(state: State, index: int, **changes: int | bool) -> State:
    changed = state.relays[index]._replace(**changes)  # type: ignore[arg-type]  # fields by name
    return state._replace(relays=(*state.relays[:index], changed, *state.relays[index + 1 :]))


def _owner(state: State, index: int, **changes: int | bool) -> State:
    changed = state.owners[index]._replace(**changes)  # type: ignore[arg-type]  # fields by name
    return state._replace(owners=(*state.owners[:index], changed, *state.owners[index + 1 :]))


def _forget_relay(state: State, index: int) -> State:
    return _relay(state, index, epoch=0, number=0, stored=True)


def _forget_owner(state: State, index: int) -> State:
    return _owner(state, index, epoch=0, number=0, offset=0, hand=0, done=False)


def _relay_steps(state: State, index: int, faults: Faults) -> Iterator[State]:
    relay = state.relays[index]
    if relay.epoch:
        yield _forget_relay(state, index)
    elif state.relay_epoch < TAKEOVERS:
        epoch = state.relay_epoch + 1
        claimed = state._replace(relay_epoch=epoch)
        yield _relay(claimed, index, epoch=epoch, number=state.relay_number, stored=True)
    if not relay.epoch:
        return
    if len(state.topic) < SENT:
        ahead = range(relay.number + 1, state.rows + 1)
        for number in ahead if faults.relay_without_order else ahead[:1]:
            if faults.relay_position_before_sending and relay.stored:
                continue
            sent = state._replace(topic=(*state.topic, number))
            yield _relay(sent, index, number=max(relay.number, number), stored=False)
    if faults.relay_position_before_sending and relay.stored and relay.number < state.rows:
        if relay.epoch == state.relay_epoch:
            yield _relay(state._replace(relay_number=relay.number + 1), index, stored=False)
        else:
            yield _forget_relay(state, index)
    elif not relay.stored:
        if relay.epoch == state.relay_epoch:
            kept = state.relay_number if faults.relay_position_before_sending else relay.number
            yield _relay(state._replace(relay_number=kept), index, stored=True)
        else:
            yield _forget_relay(state, index)


def _owner_steps(state: State, index: int, faults: Faults) -> Iterator[State]:
    owner = state.owners[index]
    if not owner.epoch:
        if state.epoch < TAKEOVERS:
            epoch = state.epoch + 1
            claimed = state._replace(epoch=epoch)
            yield _owner(claimed, index, epoch=epoch, number=state.number, offset=state.offset)
        return
    yield _forget_owner(state, index)
    if not owner.hand:
        if owner.offset < len(state.topic):
            yield _owner(state, index, hand=state.topic[owner.offset])
        return
    yield from _transaction(state, index, owner, faults)


def _transaction(state: State, index: int, owner: Owner, faults: Faults) -> Iterator[State]:
    """The message in hand: a repeat is dropped, a jump stops, the next one is handled if the partition is still ours."""
    if owner.hand <= owner.number and not faults.repeats_kept:
        yield _owner(state, index, offset=owner.offset + 1, hand=0)
        return
    if owner.hand > owner.number + 1:
        yield state._replace(lost=True)
        return
    if owner.epoch != state.epoch and not faults.no_fence:
        yield _forget_owner(state, index)
        return
    if faults.position_after_effects and not owner.done:
        yield _owner(state._replace(effects=(*state.effects, owner.hand)), index, done=True)
        return
    effects = state.effects if faults.position_after_effects else (*state.effects, owner.hand)
    number = max(owner.number, owner.hand)
    kept = state._replace(effects=effects, number=number, offset=owner.offset + 1)
    yield _owner(kept, index, number=number, offset=owner.offset + 1, hand=0, done=False)


def steps(state: State, faults: Faults) -> Iterator[State]:
    """Everything that may happen next. Who is first and who is second does not matter, so they are kept sorted."""
    if state.rows < ROWS:
        yield state._replace(rows=state.rows + 1)
    for index in range(len(state.relays)):
        for after in _relay_steps(state, index, faults):
            yield after._replace(relays=tuple(sorted(after.relays)))
    for index in range(len(state.owners)):
        for after in _owner_steps(state, index, faults):
            yield after._replace(owners=tuple(sorted(after.owners)))


def explore(
    faults: Faults, wrong: Callable[[State], bool]
) -> tuple[Mapping[State, Sequence[State]], State | None]:
    """Every state that can be reached with those right before it, the one it was found from first.

    Beside them the first that is wrong, if any: then it stops there.
    """
    before: dict[State, list[State]] = {State(): []}
    waiting = deque([State()])
    while waiting:
        state = waiting.popleft()
        if wrong(state):
            return before, state
        for after in steps(state, faults):
            known = before.get(after)
            if known is None:
                before[after] = [state]
                waiting.append(after)
            else:
                known.append(state)
    return before, None
