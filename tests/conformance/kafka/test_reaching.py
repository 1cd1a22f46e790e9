"""How a broker is reached: plainly, with a password, over TLS."""

from dataclasses import replace
from pathlib import Path

import pytest

from libs.streams import Retry
from libs.streams.broker import Broker
from libs.streams.kafka_topics import apply_topics
from tests.support.brokers import guarded_broker
from tests.support.rig import TOPIC, Behaviour, counting_router, kafka_rig, message


def test_how_a_broker_is_reached_is_passed_through() -> None:
    plain = Broker("k:9092").options()
    assert "sasl_mechanism" not in plain
    assert "ssl_context" not in plain
    secured = Broker(
        "k:9093",
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        username="centralino",
        password="secret",
    )
    assert {k: v for k, v in secured.options().items() if k.startswith("sasl")} == {
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "centralino",
        "sasl_plain_password": "secret",
    }
    assert secured.options()["ssl_context"].check_hostname
    assert "secret" not in repr(secured)


def test_a_ca_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    broker = Broker("k:9093", security_protocol="SSL", ca_file=tmp_path / "none.pem")
    with pytest.raises(ValueError, match=r"CA file .*none.pem.*expected a file of PEM certificates"):
        broker.options()


@pytest.mark.slow
async def test_brokers_that_ask_who_is_there_are_reached_with_every_mechanism_and_over_tls() -> None:
    """One test, because such a broker takes a while to start."""
    with guarded_broker() as guarded:
        for mechanism, tls in (
            ("PLAIN", True),
            ("SCRAM-SHA-512", True),
            ("SCRAM-SHA-256", False),
            ("PLAIN", False),
        ):
            await _events_flow(guarded.broker(mechanism, f"{mechanism}{tls}.", tls=tls))
        wrong = guarded.broker("SCRAM-SHA-512", "", tls=True, password="guess")
        with pytest.raises(Retry, match=r"Kafka, applying topics: KafkaConnectionError"):
            await apply_topics(wrong, names=[TOPIC])
        stranger = replace(guarded.broker("PLAIN", "", tls=True), ca_file=None)
        with pytest.raises(Retry, match=r"Kafka, applying topics: "):
            await apply_topics(stranger, names=[TOPIC])


async def _events_flow(broker: Broker) -> None:
    async with kafka_rig(broker) as rig:
        await rig.publish(*(message(f"c{i}", 1) for i in range(20)))
        await rig.drain(rig.member(counting_router("g", Behaviour())))
        assert {seen.trail for seen in (await rig.seen()).values()} == {",1"}
        assert len(await rig.seen()) == 20
