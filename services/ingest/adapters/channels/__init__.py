"""Channels by provider: one small module for each, behind the port `ChannelAdapter`; `registry` names them all."""
