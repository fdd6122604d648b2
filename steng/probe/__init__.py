"""The probe: what a STENG does for a configuration test."""

from steng.probe.resolve import Resolver
from steng.probe.run import BeforeCredentials, OnStage, probe

__all__ = ["BeforeCredentials", "OnStage", "Resolver", "probe"]
