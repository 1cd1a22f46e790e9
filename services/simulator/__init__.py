"""Providers played on this machine: they sign and post in their true shapes, take what we send, and misbehave when told.

Written from the providers' documents, without the channels' own code, so that each checks the other.
"""

from services.simulator.provider import Faults, SimulatedProvider
from services.simulator.shapes import SHAPES, Payload, Shape

__all__ = ["SHAPES", "Faults", "Payload", "Shape", "SimulatedProvider"]
