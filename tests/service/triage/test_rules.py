"""Rules over HTTP and in force: put, tried, kept by version; and what messages become under them."""

from typing import Any

from libs.contracts import Channel, ConversationCorrected, CustomerIdentified
from libs.storage import execute
from services.triage.service import definition
from services.triage.settings import TriageSettings
from tests.service.triage.test_triage import _decisions, _message
from tests.support.harness import START_MS, ServiceUnderTest, running

RULES: list[dict[str, Any]] = [
    {"name": "gold", "when": {"tier": "gold", "attribute.plan": "premium"}, "then": {"skills": ["vip:3"]}},
    {
        "name": "writes again and again",
        "when": {"contacts_this_week": ">= 3"},
        "then": {"priority": 2, "escalate": "repeated-contact"},
    },
    {"name": "it turns", "when": {"mood_turn": "worse"}, "then": {"priority": 2, "tags": ["mood-turned"]}},
    {"name": "whatsapp", "when": {"channel": "whatsapp"}, "then": {"queue_hint": "messengers"}},
    {
        "name": "parcels",
        "when": {"topic": "delivery", "hour": ">= 0, < 24"},
        "then": {
            "queue_hint": "parcels",
            "macro": "find-parcel",
            "reply": {"en": "We look.", "it": "Cerchiamo."},
        },
    },
]
PARCEL = "where is my parcel? the courier should have delivered it on monday"


async def _put(service: ServiceUnderTest, rules: list[dict[str, Any]], note: str = "") -> str:
    async with service.client("supervisor", "sara") as client:
        read = await client.get("/v1/rules")
        answer = await client.put(
            "/v1/rules", json={"rules": rules, "note": note}, headers={"If-Match": read.headers["ETag"]}
        )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["version"])


async def test_rules_are_read_put_and_refused_with_rule_and_field_and_every_version_is_kept() -> None:
    async with running(definition) as service:
        async with service.client("supervisor", "sara") as client:
            first = await client.get("/v1/rules")
            assert first.json()["version"].startswith("file:")
            assert first.headers["ETag"] == f'"{first.json()["version"]}"'
            mine = {"If-Match": first.headers["ETag"]}
            body = {"rules": RULES, "note": "for the sale"}
            assert (await client.put("/v1/rules", json=body)).status_code == 428
            bad = {**RULES[0], "when": {"anger": "= 2"}}
            refused = await client.put("/v1/rules", json={"rules": [bad]}, headers=mine)
            assert refused.status_code == 422
            assert refused.json()["faults"][0]["rule"] == "gold"
            assert refused.json()["faults"][0]["field"] == "when.anger"
            put = await client.put("/v1/rules", json=body, headers=mine)
            assert (put.status_code, put.json()["version"], put.headers["ETag"]) == (200, "1", '"1"')
            stale = await client.put("/v1/rules", json=body, headers=mine)
            assert (stale.status_code, stale.json()["current"]) == (412, '"1"')
            again = await client.put("/v1/rules", json={"rules": RULES[1:]}, headers={"If-Match": '"1"'})
            assert again.json()["version"] == "2"
            kept = (await client.get("/v1/rules/versions")).json()
            assert [(one["version"], one["author"], one["note"]) for one in kept] == [
                ("2", "sara", ""), ("1", "sara", "for the sale"),
            ]  # fmt: skip
            assert kept[0]["changes"]["removed"] == ["gold"]
            assert kept[0]["put_at"].endswith("Z")
            old = (await client.get("/v1/rules/versions/1")).json()
            assert [rule["name"] for rule in old["rules"]] == [rule["name"] for rule in RULES]
            assert (await client.get("/v1/rules/versions/9")).status_code == 404
            assert (await client.put("/v1/rules", json=old, headers={"If-Match": '"2"'})).status_code == 422
            back = {"rules": old["rules"], "note": "back"}
            assert (await client.put("/v1/rules", json=back, headers={"If-Match": '"2"'})).json()[
                "version"
            ] == "3"
        async with service.client("agent") as client:
            assert (await client.get("/v1/rules")).json()["version"] == "3"
            assert (await client.put("/v1/rules", json=body, headers={"If-Match": '"3"'})).status_code == 403
            assert (await client.post("/v1/rules/dry-run", json={"rules": RULES})).status_code == 403
        # What was put before the topics changed and fits no more does not stop the service.
        async with service.database.begin() as uow:
            await execute(
                uow.connection,
                "INSERT INTO triage.rule_sets VALUES (4, $1::text::jsonb, 'old', '', 0, '{}')",
                '[{"name": "gone", "when": {"topic": "parcels"}, "then": {"priority": 1}}]',
            )
            await uow.commit()
        async with service.client("supervisor", "sara") as client:
            fallen = await client.get("/v1/rules")
            assert fallen.json()["version"].startswith("file:")
        assert await _put(service, RULES) == "5"


async def test_rules_over_customer_contacts_channel_and_mood_decide_and_the_event_says_which() -> None:
    async with running(definition, TriageSettings(time_zone="Europe/Rome")) as service:
        await _put(service, RULES)
        await service.publish(
            CustomerIdentified(customer_id="anna", tier="gold", attributes={"plan": "premium"})
        )
        await service.settle()
        await service.publish(_message(PARCEL, 1, "c1"))
        await service.settle()
        await service.publish(
            _message(PARCEL + " IDIOTS!!! thieves, liars, I will sue you, never again", 2, "c1"),
            _message(PARCEL, 1, "c2", channel=Channel.CHANNEL_WHATSAPP),
        )
        await service.settle()
        await service.publish(_message("Buongiorno, dov'è il mio pacco? Il corriere non è venuto", 1, "c3"))
        calm, angry, other, third = await _decisions(service)
        assert (calm.rules_version, calm.queue_hint, calm.macro, calm.reply) == (
            "1",
            "parcels",
            "find-parcel",
            "We look.",
        )
        assert (list(calm.required_skills), calm.priority, calm.escalate) == (["vip:3"], 0, "")
        assert (calm.mood_turn, list(calm.changed)) == ("first", [])
        assert (angry.mood.value, angry.mood_turn, angry.priority) == ("angry", "worse", 2)
        assert list(angry.tags) == ["mood-turned"]
        assert {"mood", "priority"} <= set(angry.changed)
        assert (other.channel, other.queue_hint, other.escalate) == ("whatsapp", "messengers", "")
        assert (third.escalate, third.reply) == ("repeated-contact", "Cerchiamo.")
        said = {(r.signal, r.detail) for r in third.reasons if r.source == "rule"}
        assert {("escalate", "writes again and again"), ("skills", "gold"), ("reply", "parcels")} <= said

        async with service.client("supervisor", "sara") as client:
            others = [dict(RULES[4], then={"queue_hint": "depot"}), *RULES[:4]]
            run = (await client.post("/v1/rules/dry-run", json={"rules": others, "last": 50})).json()
            assert (run["against"], run["conversations"], run["changed"]) == ("1", 3, 3)
            assert run["fields"] == {"macro": 3, "queue_hint": 3, "reply": 3}
            moved = {one["conversation_id"]: one["fields"]["queue_hint"] for one in run["examples"]}
            assert moved["c2"] == {"old": "messengers", "new": "depot", "by": ["parcels"]}
            same = (await client.post("/v1/rules/dry-run", json={"rules": RULES})).json()
            assert (same["changed"], same["examples"]) == (0, [])
            assert same["set_something"]["parcels"] == 3
            tried = await client.post(
                "/v1/rules/test", json={"text": PARCEL, "facts": {"tier": "gold", "channel": "whatsapp"}}
            )
            body = tried.json()
            by_name = {one["rule"]: one for one in body["rules"]}
            assert by_name["parcels"]["matched"]
            assert by_name["gold"]["failed"] == "attribute.plan is one of premium"
            assert body["decision"]["queue_hint"] == "messengers"
            assert {"field": "queue_hint", "rule": "whatsapp"} in body["set_by"]
            assert body["facts"]["tier"] == "gold"
            nothing = await client.post("/v1/rules/test", json={"text": "", "rules": []})
            assert (nothing.status_code, nothing.json()["rules"]) == (200, [])


async def test_a_decision_is_explained_as_data_and_in_the_language_asked_for() -> None:
    async with running(definition) as service:
        await service.publish(
            _message("Order 88123: " + PARCEL + ". Write to anna@example.com", subject="My parcel"),
            ConversationCorrected(conversation_id="c2", field="topic", value="refund", human_version=1),
        )
        await service.settle()
        await service.publish(_message(PARCEL, 2), _message(PARCEL, 1, "c2"))
        first = (await _decisions(service))[0]
        named = {one.kind: one for one in first.entities}
        text = "Order 88123: " + PARCEL
        assert (named["order_number"].value, named["order_number"].in_subject) == ("88123", False)
        assert text[named["order_number"].start : named["order_number"].end] == "88123"
        assert (named["email"].value, named["email"].personal) == ("a…@example.com", True)
        placed = [r for r in first.reasons if r.end > r.start and r.signal == "topic"]
        assert placed
        async with service.client("agent") as client:
            path = "/v1/conversations/c1/explanation"
            newest = (await client.get(path)).json()
            older = (await client.get(path, params={"message_seq": 1, "language": "it-IT"})).json()
            arabic = (await client.get(path, params={"language": "ar"})).json()
            person = (await client.get("/v1/conversations/c2/explanation", params={"language": "xx"})).json()
            assert (await client.get(path, params={"message_seq": 7})).status_code == 404
        async with service.client("customer") as client:
            assert (await client.get(path)).status_code == 403
        assert (newest["message_seq"], older["message_seq"], older["language"]) == (2, 1, "it")
        topic = next(part for part in older["parts"] if part["signal"] == "topic")
        assert (topic["value"], topic["threshold"], topic["reached"]) == ("delivery", 0.4, True)
        assert topic["words"]
        assert topic["runner_up"]["lacked"] > 0
        assert any(one["field"] == "queue_hint" and one["value"] == "orders" for one in older["set_by_rules"])
        assert any("Consegna" in sentence and "Riguarda" in sentence for sentence in older["sentences"])
        assert "anna@example.com" not in str(older)
        assert any("القاعدة" in sentence for sentence in arabic["sentences"])
        assert person["sentences"][0] == "A person has set the topic “Refund”."
        assert person["set_by_people"] == ["topic"]


async def test_channels_of_providers_have_their_names() -> None:
    channels = {
        Channel.CHANNEL_SMS: "sms", Channel.CHANNEL_WHATSAPP: "whatsapp", Channel.CHANNEL_MESSENGER: "messenger",
        Channel.CHANNEL_INSTAGRAM: "instagram", Channel.CHANNEL_TELEGRAM: "telegram",
        Channel.CHANNEL_VOICE: "voice", Channel.CHANNEL_WEBHOOK: "webhook",
    }  # fmt: skip
    async with running(definition) as service:
        await service.publish(*(_message("hello", 1, f"c{number}", channel=number) for number in channels))
        found = {event.conversation_id: event.channel for event in await _decisions(service)}
    assert found == {f"c{number}": name for number, name in channels.items()}
    assert START_MS > 0
