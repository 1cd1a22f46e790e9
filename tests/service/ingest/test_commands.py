"""`centralino ingest` as an operator types it: what is made of files, what failed and goes out again, other keys."""

import json
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from services.ingest.accounts import ChannelAccount
from services.ingest.adapters.credentials import open_text, opened, read_accounts, reseal_file, revealed
from services.ingest.adapters.keys import add_raw_key, load_keys
from services.simulator import SHAPES
from tests.service.ingest.mails import mail
from tests.service.ingest.test_provider_channels import account, ingesting, post, until
from tests.service.ingest.test_threads import reply
from tests.system.processes import PATIENCE_SECONDS, environment

WHATSAPP = SHAPES["whatsapp-cloud"]


RULES = """
quiet: {from: "21:00", to: "08:00"}
rules:
  - name: late
    event: order.delayed
    channels: [sms]
    text: {en: "Order {order} is late."}
"""
PROGRAM = """
import json, sys
from services.operators.ingest import app
for arguments in json.loads(sys.argv[1]):
    try:
        app(arguments, standalone_mode=False)
    except Exception as error:
        print("refused:", getattr(error, "message", error))
    print("\\x1e", end="", flush=True)
"""


def asked(data: Path, *commands: list[str], **more: str) -> list[str]:
    """What each command prints, all in one process: most of their time is its start."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(commands)],
        env=environment(data, **more),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.split("\x1e")[:-1]
    assert len(said) == len(commands)
    return said


def test_parse_prints_one_mail_whole_and_a_folder_line_by_line_and_stores_nothing(tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "mails"
    folder.mkdir()
    raw = mail(
        "Yes, please.\n\nOn Monday Bob wrote:\n> Shall we send it again?", In_Reply_To="<0@example.org>"
    )
    (folder / "a.eml").write_bytes(raw)
    (folder / "b.eml").write_bytes(b"\xff\x00 no mail at all")
    payload = tmp_path / "hook.json"
    payload.write_bytes(WHATSAPP.strange(1, "39333").body)
    single, several, hook, fax, nothing = asked(
        data,
        ["parse", str(folder / "a.eml")],
        ["parse", str(folder)],
        ["parse", "--channel", "whatsapp-cloud", str(payload)],
        ["parse", "--channel", "fax", str(payload)],
        ["parse", str(folder / "nothing")],
    )
    one = json.loads(single)
    assert one["sender"] == {"address": "ada@example.org", "name": "Ada Rossi"}
    assert (one["subject"], one["stripped_text"]) == ("Parcel", "Yes, please.")
    assert "> Shall we" in one["text"]
    assert one["thread_keys"]["references"] == ["<0@example.org>"]
    assert (one["automatic"], one["attachments"]) == (False, [])
    lines = [json.loads(line) for line in several.splitlines()]
    assert [Path(line["file"]).name for line in lines] == ["a.eml", "b.eml"]
    [happening] = json.loads(hook)["items"]
    assert happening["says"][0]["text"] == "(unsupported message: hologram)"
    assert "'fax' is no channel" in fax
    assert "is not there" in nothing
    assert not [path for path in data.rglob("*") if path.is_file()]


async def test_what_failed_is_sent_again_payloads_are_read_again_and_rules_put_in_force(
    tmp_path: Path,
) -> None:
    one = account("whatsapp-cloud", "http://127.0.0.1:9")
    async with ingesting(one, delivery_attempts=1) as service:
        # Commands have the clock of the machine.
        service.clock.advance(int(time.time() * 1000) - service.clock.now_ms())
        await post(service, "whatsapp-cloud", WHATSAPP.message(1, "393330000001", "hello"))
        [message] = await until(service, "MessageReceived")
        await service.publish(reply(message.conversation_id))
        [told] = await until(service, "DeliveryFailed")
        accounts = json.dumps([{**json.loads(one.model_dump_json()), **_secrets(one)}])
        more = {"DATABASE_URL": service.url, "CENTRALINO_INGEST_ACCOUNTS": accounts}
        rules = tmp_path / "rules.yaml"
        rules.write_text(RULES)
        bad = tmp_path / "bad.yaml"
        bad.write_text(RULES.replace("[sms]", "[fax]"))
        commands = [["failed"], ["resend"], ["resend", "--all", "--channel", "sms"], ["resend", "--all"]]
        commands += [["resend", told.delivery_id], ["renormalise"]]
        commands += [["outreach", str(bad)], ["outreach", str(rules)], ["outreach", "--put", str(rules)]]
        failed, neither, none, resent, again, renormalised, *outreach = asked(service.data, *commands, **more)
        shown = json.loads(failed)
        assert (shown["delivery_id"], shown["conversation_id"]) == (told.delivery_id, message.conversation_id)
        assert (shown["channel"], bool(shown["reason"])) == ("whatsapp", True)
        assert ("say --all" in neither, none) == (True, "")
        assert resent == f"{told.delivery_id} is on its way again\n"
        assert "only a failed one is sent again" in again
        assert "rule 'late', channels: 'fax'" in outreach[0]
        assert (outreach[1].partition(" ")[0], outreach[2]) == ("1", "version 1 is in force\n")
        outcome = {"looked_at": 2, "found": 0, "again": 0, "corrected": 0, "unreadable": 0}
        assert json.loads(renormalised) == outcome
        service.clock.advance(600_000)
        assert len(await until(service, "DeliveryFailed", 2)) == 2
        assert len(await service.events("MessageReceived")) == 1


def _secrets(one: ChannelAccount) -> dict[str, Any]:
    return {
        "secrets": [secret.get_secret_value() for secret in one.secrets],
        "token": one.token.get_secret_value(),
        "verify_token": "",
        "secret": "",
    }


def test_credentials_are_sealed_with_a_new_key_and_the_old_ones_still_open(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    path = tmp_path / "accounts.json"
    plain: list[dict[str, Any]] = [
        {
            "channel": "whatsapp",
            "provider": "whatsapp-cloud",
            "secrets": ["one", "two"],
            "token": "the-token",
        },
        {
            "channel": "mail",
            "id": "help",
            "address": "help@shop.example",
            "imap": {"host": "imap.shop.example", "user": "help", "password": "the-password"},
        },
        {
            "channel": "mail",
            "id": "more",
            "address": "more@shop.example",
            "imap": {
                "host": "imap.shop.example",
                "user": "more",
                "oauth": {
                    "token_url": "https://id.example/token",
                    "client_id": "us",
                    "client_secret": "the-client",
                    "refresh_token": "the-refresh",
                },
            },
        },
    ]
    path.write_text(json.dumps(plain))
    more = {"CENTRALINO_INGEST_ACCOUNTS_FILE": str(path)}
    said, _ = asked(data, ["rotate-credentials"], ["rotate-credentials", "--no-new-key"], **more)
    assert said.startswith("6 credentials are sealed with key ")
    first = path.read_text()
    for secret in ("one", "two", "the-token", "the-password", "the-client", "the-refresh"):
        assert f'"{secret}"' not in first
    # And once more, as the command does it.
    add_raw_key(data)
    assert reseal_file(path, load_keys(data, "", "")[0]) == 6
    assert path.read_text() != first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    sealer, _ = load_keys(data, "", "")
    [whatsapp, help_, renewed] = read_accounts(path)
    shown = revealed(sealer, whatsapp)
    assert (shown.secrets, shown.token) == (("one", "two"), "the-token")
    assert help_.imap is not None
    assert renewed.imap is not None
    assert opened(sealer, help_.imap).password.get_secret_value() == "the-password"
    oauth = opened(sealer, renewed.imap).oauth
    assert oauth is not None
    assert oauth.client_secret.get_secret_value() == "the-client"
    assert oauth.refresh_token.get_secret_value() == "the-refresh"
    # What the first key sealed opens with the keys of now, too.
    old = json.loads(first)[0]["token"]
    assert open_text(sealer, old) == "the-token"
