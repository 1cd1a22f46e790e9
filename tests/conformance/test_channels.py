"""One suite over every channel of a provider: genuine or refused, read whatever comes, answered in its own shape."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.adapters.channels.mapped import MappedWebhook
from services.ingest.adapters.channels.mapping import read_mapping
from services.ingest.adapters.channels.port import Credentials, Forged, Hook, Outgoing, Unreadable
from services.ingest.adapters.channels.registry import INCLUDED, adapters
from services.ingest.domain.channels import ChannelMessage, ProviderStatus, StatusNews
from services.ingest.domain.templates import BadValues, Template, fault_of, fill
from services.ingest.ports import SendFailed, SendRefused, SendUnavailable
from services.simulator import SHAPES, Payload

ADAPTERS = adapters()
NAMES = sorted(ADAPTERS)
NOW_S = 1_780_000_000
URL = "https://shop.example/ingest/v1/hooks/x/default"
KNOWN = Credentials(("newest-secret", "older-secret"), "AC1:token", "sender", "verify-me")
WRITTEN = [name for name in NAMES if name != "twilio-voice"]
PERSON = "393330000001"


def hook(name: str, payload: Payload, secret: str = "newest-secret", **changes: Any) -> Hook:
    signed = SHAPES[name].sign(payload.body, URL, secret, NOW_S)
    headers = {key.lower(): value for key, value in signed.items()}
    made = Hook("POST", URL, {}, headers, payload.body, NOW_S * 1000)
    return replace(made, **changes)


def said(name: str, payload: Payload) -> list[Any]:
    adapter = ADAPTERS[name]
    return [one for item in adapter.split(hook(name, payload)) for one in adapter.read(item.content)]


def test_every_channel_is_played_by_a_simulated_provider() -> None:
    assert sorted(SHAPES) == NAMES


@pytest.mark.parametrize("name", NAMES)
class TestGenuine:
    def test_every_secret_of_the_account_holds(self, name: str) -> None:
        payload = SHAPES[name].message(1, PERSON, "Città 😀 & more")
        for secret in KNOWN.secrets:
            ADAPTERS[name].verify(hook(name, payload, secret), KNOWN)

    def test_another_secret_is_refused(self, name: str) -> None:
        payload = SHAPES[name].message(1, PERSON, "hello")
        for secret in ("another", "", "newest-secret "):
            with pytest.raises(Forged):
                ADAPTERS[name].verify(hook(name, payload, secret), KNOWN)

    def test_a_missing_empty_or_garbled_header_is_refused(self, name: str) -> None:
        whole = hook(name, SHAPES[name].message(1, PERSON, "hello"))
        for headers in ({}, dict.fromkeys(whole.headers, ""), dict.fromkeys(whole.headers, "sha256=é\udcff")):
            with pytest.raises(Forged):
                ADAPTERS[name].verify(replace(whole, headers=headers), KNOWN)

    def test_an_account_without_a_secret_takes_nothing(self, name: str) -> None:
        payload = SHAPES[name].message(1, PERSON, "hello")
        for credentials in (Credentials(()), Credentials(("",))):
            with pytest.raises(Forged):
                ADAPTERS[name].verify(hook(name, payload, ""), credentials)

    def test_a_changed_body_is_refused(self, name: str) -> None:
        if name == "telegram":
            pytest.skip("Telegram proves itself by a secret alone")
        whole = hook(name, SHAPES[name].message(1, PERSON, "hello"))
        for body in (whole.body + b"&a=b", whole.body.replace(b"hello", b"hallo"), whole.body[:-1], b""):
            with pytest.raises(Forged):
                ADAPTERS[name].verify(replace(whole, body=body), KNOWN)

    def test_the_signature_of_another_account_is_refused(self, name: str) -> None:
        payload = SHAPES[name].message(1, PERSON, "hello")
        with pytest.raises(Forged):
            ADAPTERS[name].verify(hook(name, payload), Credentials(("secret-of-another-account",)))

    def test_rotated_away_secrets_hold_no_more(self, name: str) -> None:
        payload = SHAPES[name].message(1, PERSON, "hello")
        with pytest.raises(Forged):
            ADAPTERS[name].verify(hook(name, payload, "older-secret"), Credentials(("newest-secret",)))


@pytest.mark.parametrize("name", NAMES)
class TestReading:
    def test_a_text_is_read_whole(self, name: str) -> None:
        [message] = said(name, SHAPES[name].message(7, PERSON, "Dov'è il mio pacco? 😀"))
        assert message.text.endswith("Dov'è il mio pacco? 😀")
        assert message.sender == PERSON
        assert message.provider_id

    def test_the_same_happening_has_the_same_key_and_another_another(self, name: str) -> None:
        keys = [
            ADAPTERS[name].split(hook(name, SHAPES[name].message(number, PERSON, "hello")))[0].key
            for number in (1, 1, 2)
        ]
        assert keys[0] == keys[1] != keys[2]

    def test_an_unknown_kind_of_message_is_kept_and_said_to_be_unsupported(self, name: str) -> None:
        [message] = said(name, SHAPES[name].strange(3, PERSON))
        assert isinstance(message, ChannelMessage)
        assert message.sender == PERSON
        assert message.text == "(missed call, no-answer: call back)" or message.text.startswith(
            "(unsupported message: hologram"
        )

    def test_statuses_are_read_as_what_they_are(self, name: str) -> None:
        for told, meant in (("delivered", "delivered"), ("read", "read"), ("failed", "failed")):
            payload = SHAPES[name].status("4711", PERSON, told)
            if payload is not None:
                [news] = said(name, payload)
                assert (news.provider_id, news.status) == ("4711", ProviderStatus(meant))
                assert bool(news.reason) == (told == "failed")

    @pytest.mark.parametrize(
        "body", [b"", b"\xff\xfe", b"{", b"[1]", b"7", b"null", b'{"a":' * 10_000, b"[" * 10_000, b"1" * 5000]
    )
    def test_what_has_no_shape_is_refused_or_read_as_nothing(self, name: str, body: bytes) -> None:
        try:
            items = ADAPTERS[name].split(Hook("POST", URL, {}, {}, body, 0))
        except Unreadable:
            return
        for item in items:
            for one in ADAPTERS[name].read(item.content):
                assert one.provider_id


def _leaves(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [place] if place else []
    steps: Any = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, inner in steps:
        found += _leaves(inner, (*place, step))
    return found


def _changed(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = _changed(value[place[0]], place[1:], new)
    return copy


STRANGE = st.sampled_from(
    [None, 0, 17, -1.5, True, "", "x", "\ud800", [], [None], {}, {"id": None}, 2**70, 1e300]
)


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("twilio")])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_value_may_be_missing_null_or_of_another_type(name: str, data: st.DataObject) -> None:
    shape = SHAPES[name]
    whole = data.draw(
        st.sampled_from(
            [
                one
                for one in (
                    shape.message(1, PERSON, "hi"),
                    shape.strange(2, PERSON),
                    shape.status("3", PERSON, "failed"),
                )
                if one
            ]
        )
    )
    value = json.loads(whole.body)
    for _ in range(data.draw(st.integers(1, 3))):
        places = _leaves(value)
        if places:
            value = _changed(value, data.draw(st.sampled_from(places)), data.draw(STRANGE))
    if not isinstance(value, dict):
        return
    adapter = ADAPTERS[name]
    for item in adapter.split(hook(name, Payload(json.dumps(value).encode(), "application/json"))):
        assert item.key
        assert isinstance(item.sender, str)
        for one in adapter.read(json.loads(json.dumps(item.content))):
            if isinstance(one, ChannelMessage):
                assert one.text
                assert one.provider_id
            else:
                assert isinstance(one, StatusNews)


@pytest.mark.parametrize("name", WRITTEN)
class TestGoingOut:
    def test_a_text_goes_out_in_the_providers_shape(self, name: str) -> None:
        text = 'Tom said: "{token}" & {recipient} \\ 😀\nnew line'
        call = ADAPTERS[name].compose(Outgoing("id-1", PERSON, text), KNOWN)
        assert SHAPES[name].taken(call.body) == (PERSON, text)
        assert call.url.startswith("https://")

    def test_a_simulator_or_region_can_stand_in(self, name: str) -> None:
        call = ADAPTERS[name].compose(
            Outgoing("id-1", PERSON, "hi"), replace(KNOWN, base_url="http://127.0.0.1:9")
        )
        assert call.url.startswith("http://127.0.0.1:9/")

    def test_a_text_that_is_too_long_is_refused_and_not_cut(self, name: str) -> None:
        with pytest.raises(SendRefused, match="shorten it"):
            ADAPTERS[name].compose(Outgoing("id-1", PERSON, "x" * 70_000), KNOWN)

    def test_its_answer_gives_the_id_by_which_statuses_name_the_message(self, name: str) -> None:
        assert ADAPTERS[name].outcome(*SHAPES[name].answer(5)) == SHAPES[name].answer_id(5)

    def test_a_refusal_is_final_even_with_status_200(self, name: str) -> None:
        with pytest.raises(SendRefused):
            ADAPTERS[name].outcome(*SHAPES[name].refusal())

    def test_an_error_in_an_answer_of_200_is_no_success(self, name: str) -> None:
        _, refusal = SHAPES[name].refusal()
        for body in (
            refusal,
            b'{"error": {"code": 100, "message": "no"}}',
            b'{"success": true}',
            b"{}",
            b"[1]",
        ):
            with pytest.raises(SendFailed):
                ADAPTERS[name].outcome(200, body)

    @pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
    def test_a_busy_provider_is_asked_again(self, name: str, status: int) -> None:
        with pytest.raises(SendUnavailable):
            ADAPTERS[name].outcome(status, b"<html>busy</html>")

    @pytest.mark.parametrize("status", [301, 302, 401, 404])
    def test_a_redirect_or_denial_is_final(self, name: str, status: int) -> None:
        with pytest.raises(SendRefused):
            ADAPTERS[name].outcome(status, b"")

    @pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"not json", b"[" * 5000])
    def test_an_answer_without_an_id_is_a_failure_that_says_so(self, name: str, body: bytes) -> None:
        with pytest.raises(SendFailed):
            ADAPTERS[name].outcome(200, body)


@pytest.mark.parametrize("path", sorted(INCLUDED.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_samples_of_a_declared_provider_come_out_as_it_says(path: Any) -> None:
    file = read_mapping(path)
    adapter = MappedWebhook(file)
    for sample in file.samples:
        given_ = Hook("POST", URL, {}, sample.headers, sample.body.encode(), sample.now * 1000)
        adapter.verify(given_, Credentials((sample.secret,)))
        found = [one for item in adapter.split(given_) for one in adapter.read(item.content)]
        assert len(found) == len(sample.expect), sample.name
        for one, expected in zip(found, sample.expect, strict=True):
            assert {key: getattr(one, key) for key in expected} == expected, sample.name


def test_the_signature_that_twilio_publishes_comes_out() -> None:
    form = "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"
    for url in (
        "https://mycompany.com/myapp.php?foo=1&bar=2",
        "https://mycompany.com:443/myapp.php?foo=1&bar=2",
    ):
        given_ = Hook(
            "POST", url, {}, {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}, form.encode(), 0
        )
        ADAPTERS["twilio-sms"].verify(given_, Credentials(("12345",)))


def test_meta_is_greeted_by_who_knows_the_token_only() -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": "verify-me", "hub.challenge": "1158201444"}
    for name in ("whatsapp-cloud", "messenger", "instagram"):
        greeting = ADAPTERS[name].greet(Hook("GET", URL, query, {}, b"", 0), KNOWN)
        assert greeting is not None
        assert greeting.body == "1158201444"
        for token in ("wrong", ""):
            with pytest.raises(Forged):
                ADAPTERS[name].greet(
                    Hook("GET", URL, {**query, "hub.verify_token": token}, {}, b"", 0), KNOWN
                )
        with pytest.raises(Forged):
            ADAPTERS[name].greet(
                Hook("GET", URL, {**query, "hub.verify_token": ""}, {}, b"", 0), Credentials(())
            )


def test_echoes_of_our_own_messages_concern_nobody() -> None:
    body = json.loads(SHAPES["messenger"].message(1, PERSON, "hi").body)
    body["entry"][0]["messaging"][0]["message"]["is_echo"] = True
    assert said("messenger", Payload(json.dumps(body).encode(), "application/json")) == []


def test_several_messages_and_statuses_in_one_webhook_are_told_apart() -> None:
    whole = json.loads(SHAPES["whatsapp-cloud"].message(1, PERSON, "one").body)
    value = whole["entry"][0]["changes"][0]["value"]
    value["messages"].append({**value["messages"][0], "id": "wamid.2", "text": {"body": "two"}})
    value["statuses"] = [{"id": "wamid.9", "status": "read", "recipient_id": PERSON}]
    found = said("whatsapp-cloud", Payload(json.dumps(whole).encode(), "application/json"))
    assert [getattr(one, "text", None) for one in found] == ["one", "two", None]


STAMPED = """
name: stamped
verify: {scheme: hmac, header: x-signature, prefix: "v0=", message: "v0:{timestamp}:{body}", timestamp_header: x-timestamp}
message: {id: id, sender: from, text: text}
outgoing: {base_url: "https://a.example", url: "{base_url}/x", body: {text: "{text}"}}
samples: [{name: none, body: "{}", expect: []}]
"""


def test_a_signed_time_must_be_near_and_is_signed_itself(tmp_path: Any) -> None:
    import hashlib
    import hmac

    path = tmp_path / "stamped.yaml"
    path.write_text(STAMPED)
    adapter, body = MappedWebhook(read_mapping(path)), b'{"id": 1}'

    def at(stamp: str, signed: str | None = None) -> Hook:
        message = b"v0:" + (signed or stamp).encode() + b":" + body
        mac = hmac.new(b"newest-secret", message, hashlib.sha256).hexdigest()
        return Hook("POST", URL, {}, {"x-signature": f"v0={mac}", "x-timestamp": stamp}, body, NOW_S * 1000)

    adapter.verify(at(str(NOW_S - 299)), KNOWN)
    for stale in (str(NOW_S - 301), str(NOW_S + 301), "", "soon", "٣", "9" * 30):
        with pytest.raises(Forged):
            adapter.verify(at(stale), KNOWN)
    with pytest.raises(Forged):
        adapter.verify(at(str(NOW_S), signed=str(NOW_S - 3600)), KNOWN)


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ("name: Bad Name", "name"),
        ("verify: {scheme: hope, header: x}", "verify.scheme"),
        ("extra: 1", "extra"),
        ("samples: []", "samples"),
        ("name: [", "YAML"),
    ],
)
def test_a_file_that_declares_no_provider_is_refused_with_the_place(
    tmp_path: Any, fault: str, named: str
) -> None:
    path = tmp_path / "bad.yaml"
    key = fault.partition(":")[0]
    kept = [line for line in STAMPED.strip().split("\n") if not line.startswith(f"{key}:")]
    path.write_text("\n".join([*kept, fault]))
    with pytest.raises(ValueError, match=named) as caught:
        read_mapping(path)
    assert "bad.yaml" in str(caught.value)


def test_a_template_goes_out_as_whatsapp_cloud_takes_it() -> None:
    named = fill(
        Template("order_left", "pt_BR", "Olá {{name}}, {{order}}!"), {"order": "47\n11", "name": "Ada"}
    )
    call = ADAPTERS["whatsapp-cloud"].compose(Outgoing("id-1", PERSON, "Olá", named), KNOWN)
    body = json.loads(call.body)
    assert (body["messaging_product"], body["to"], body["type"]) == ("whatsapp", PERSON, "template")
    assert body["template"] == {
        "name": "order_left",
        "language": {"code": "pt_BR"},
        "components": [
            {
                "type": "body",
                "parameters": [
                    {"type": "text", "text": "Ada", "parameter_name": "name"},
                    {"type": "text", "text": "47 11", "parameter_name": "order"},
                ],
            }
        ],
    }
    assert "text" not in body
    plain = fill(Template("hello", "en", "Hello!"), {})
    assert (
        "components"
        not in json.loads(
            ADAPTERS["whatsapp-cloud"].compose(Outgoing("id-1", PERSON, "", plain), KNOWN).body
        )["template"]
    )


def test_a_template_goes_out_as_twilio_takes_it() -> None:
    sid = "HX" + "0a" * 16
    filled = fill(Template("order_left", "it", "Ciao {{1}}, {{2}}", sid), {"2": "4711", "1": "Ada"})
    call = ADAPTERS["twilio-whatsapp"].compose(Outgoing("id-1", "+39333", "Ciao", filled), KNOWN)
    form = dict(parse_qsl(call.body.decode()))
    assert form["To"] == "whatsapp:+39333"
    assert (form["ContentSid"], json.loads(form["ContentVariables"])) == (sid, {"1": "Ada", "2": "4711"})
    assert "Body" not in form


@pytest.mark.parametrize(
    ("values", "named"),
    [({"1": "Ada"}, "'2'"), ({"1": "Ada", "2": " \n"}, "'2'"), ({"1": "a", "2": "b", "3": "c"}, "'3'")],
)
def test_values_that_do_not_fit_a_template_are_named(values: dict[str, str], named: str) -> None:
    with pytest.raises(BadValues, match=named):
        fill(Template("t", "en", "{{1}} {{2}}"), values)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (" ", "empty"),
        ("{{1}} {{3}}", "gap"),
        ("{{1}} {{name}}", "not both"),
        ("{{a b}}", "place"),
        ("{{1", "place"),
    ],
)
def test_a_template_that_no_provider_takes_is_refused_at_the_start(text: str, named: str) -> None:
    assert named in fault_of(Template("t", "en", text))


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("twilio")])
def test_any_field_of_a_form_may_be_missing_empty_doubled_or_strange(name: str) -> None:
    shape = SHAPES[name]
    whole = [
        one
        for one in (
            shape.message(1, PERSON, "hi"),
            shape.strange(2, PERSON),
            shape.status("3", PERSON, "failed"),
        )
        if one
    ]
    for payload in whole:
        fields = parse_qsl(payload.body.decode(), keep_blank_values=True)
        for place, (field, value) in enumerate(fields):
            for new in (
                [],
                [(field, "")],
                [(field, "\x00\ud7ff")],
                [(field, "9" * 400)],
                [(field, value), (field, "x")],
            ):
                body = urlencode([*fields[:place], *new, *fields[place + 1 :]]).encode()
                for item in ADAPTERS[name].split(hook(name, Payload(body, payload.media_type))):
                    assert item.key
                    for one in ADAPTERS[name].read(json.loads(json.dumps(item.content))):
                        assert one.provider_id
                        assert not isinstance(one, ChannelMessage) or one.text
    with pytest.raises(Unreadable):
        ADAPTERS[name].split(hook(name, Payload(b"a=1&" * 1000, "")))


def test_a_webhook_with_a_thousand_messages_is_a_thousand_happenings() -> None:
    whole = json.loads(SHAPES["whatsapp-cloud"].message(1, PERSON, "one").body)
    value = whole["entry"][0]["changes"][0]["value"]
    value["messages"] = [{**value["messages"][0], "id": f"wamid.{number}"} for number in range(1000)]
    found = ADAPTERS["whatsapp-cloud"].split(hook("whatsapp-cloud", Payload(json.dumps(whole).encode(), "")))
    assert len({item.key for item in found}) == 1000
