"""The probe: what a STENG does for a configuration test."""

from steng.probe.resolve import Resolver
from steng.probe.run import OnStage, probe
from steng.probe.session import BeforeCredentials

__all__ = ["BeforeCredentials", "OnStage", "Resolver", "probe"]
