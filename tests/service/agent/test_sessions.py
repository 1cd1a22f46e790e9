"""Sign-in, and who one is."""

import pytest

from libs.storage import fetch_one
from services.agent.operations import AccountExists, create_account
from tests.service.agent.desk import Desk, slug

_PASSWORD = "correct horse battery"


async def test_a_name_and_a_password_give_a_token_that_works(desk: Desk) -> None:
    await desk.directory()
    await create_account(desk.service.database, "anna", _PASSWORD, "agent", "Anna")
    client = desk.person(role=None)
    answer = await client.post("/v1/sessions", json={"username": "anna", "password": _PASSWORD})
    assert answer.status_code == 201
    session = answer.json()
    assert (session["subject"], session["role"], session["name"]) == ("anna", "agent", "Anna")
    me = await client.get("/v1/me", headers={"Authorization": f"Bearer {session['token']}"})
    assert me.status_code == 200
    assert (me.json()["name"], me.json()["teams"]) == ("Anna Rossi", [{"id": "billing", "name": "Billing"}])


@pytest.mark.parametrize(("username", "password"), [("ben", "wrong password"), ("nobody", _PASSWORD)])
async def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(
    desk: Desk, username: str, password: str
) -> None:
    with_account = username == "ben"
    if with_account:
        await create_account(desk.service.database, "ben", _PASSWORD, "supervisor", "Ben")
    answer = await desk.person(role=None).post(
        "/v1/sessions", json={"username": username, "password": password}
    )
    assert (answer.status_code, slug(answer)) == (401, "sign-in-failed")
    assert "name or the password" in answer.json()["detail"]


async def test_a_password_is_not_stored_and_a_name_is_given_once(desk: Desk) -> None:
    await create_account(desk.service.database, "carla", _PASSWORD, "admin", "")
    with pytest.raises(AccountExists):
        await create_account(desk.service.database, "carla", "another password", "agent", "")
    async with desk.service.database.read() as connection:
        row = await fetch_one(
            connection, "SELECT password_hash, role, name FROM agent.accounts WHERE username = 'carla'"
        )
    assert row is not None
    assert row[0].startswith("$argon2id$")
    assert row[1:] == ("admin", "carla")


@pytest.mark.parametrize(
    ("username", "password", "role"),
    [
        ("", _PASSWORD, "agent"),
        ("a b", _PASSWORD, "agent"),
        ("dora", "short", "agent"),
        ("dora", _PASSWORD, "customer"),
    ],
)
async def test_an_account_that_cannot_be_is_refused(
    desk: Desk, username: str, password: str, role: str
) -> None:
    with pytest.raises(ValueError, match=r"username|password|role"):
        await create_account(desk.service.database, username, password, role, "")
