"""Tokens of links."""

import base64
import re
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.web import KeyFileError
from services.survey.adapters.links import LinkKeyError, LinkKeys

KEYS = LinkKeys({"k1": b"1" * 32})
ONE = "018f6a10-0000-7000-8000-000000000001"


@given(st.uuids())
def test_a_token_opens_its_invitation_and_is_safe_in_an_address(invitation: UUID) -> None:
    token = KEYS.token(str(invitation))
    assert re.fullmatch(r"[A-Za-z0-9_-]+", token)
    assert KEYS.invitation_of(token) == str(invitation)
    assert KEYS.token(str(invitation)) == token


@given(st.uuids(), st.integers(0, 200), st.sampled_from("AZaz09_-x"))
def test_a_token_that_was_changed_anywhere_opens_nothing(
    invitation: UUID, place: int, character: str
) -> None:
    token = KEYS.token(str(invitation))
    place %= len(token)
    changed = token[:place] + character + token[place + 1 :]
    assert KEYS.invitation_of(changed) == (str(invitation) if changed == token else None)


@given(st.text(max_size=300))
def test_any_text_may_be_tried(text: str) -> None:
    assert KEYS.invitation_of(text) is None


def test_after_a_rotation_old_links_work_until_their_key_is_gone() -> None:
    old = KEYS.token(ONE)
    rotated = LinkKeys({"k2": b"2" * 32, "k1": b"1" * 32})
    assert rotated.invitation_of(old) == ONE
    assert rotated.token(ONE) != old
    assert LinkKeys({"k2": b"2" * 32}).invitation_of(old) is None
    assert LinkKeys({"k1": b"3" * 32}).invitation_of(old) is None


def test_the_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "survey-keys.json"
    token = LinkKeys.load_or_create(path).token(ONE)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["survey-keys.json"]
    assert LinkKeys.load_or_create(path).token(ONE) == token
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        LinkKeys.load_or_create(path)
    path.chmod(0o600)
    for content, seen in (
        ("{}", "it lists no keys in that form"),
        ("{", "it is no JSON (Expecting property name"),
        ('{"keys": [{"id": "k1", "key": "c2hvcnQ="}]}', "Survey key k1 has 5 bytes"),
    ):
        path.write_text(content)
        with pytest.raises(KeyFileError) as caught:
            LinkKeys.load_or_create(path)
        said = str(caught.value)
        assert said.startswith(f"{path} holds no usable key: {seen}")
        assert 'expected {"keys": [{"id": ID, "key": BASE64}, ...]}. Restore it from a backup' in said
        assert "c2hvcnQ" not in said


def test_keys_may_come_from_the_environment() -> None:
    text = f"k2:{base64.b64encode(b'2' * 32).decode()}, k1:{base64.b64encode(b'1' * 32).decode()}"
    keys = LinkKeys.from_text(text)
    assert keys.token(ONE).startswith("k2-")
    assert keys.invitation_of(KEYS.token(ONE)) == ONE


@pytest.mark.parametrize(
    "text", ["", "k1", "k1:", "k1:!!!", "k 1:" + base64.b64encode(b"1" * 32).decode(), "k1:c2hvcnQ="]
)
def test_bad_keys_are_refused_without_being_shown(text: str) -> None:
    with pytest.raises(LinkKeyError) as caught:
        LinkKeys.from_text(text)
    assert "c2hvcnQ" not in str(caught.value)
