"""How a broker is reached: plainly, with a password, over TLS."""

from pathlib import Path

import pytest

from libs.streams.broker import Broker


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
