"""Four phone-call providers played by one real HTTP server over a deterministic world."""

from .faults import Fault
from .seen import SeenRequest
from .server import Sandbox
from .switches import (
    AmplemarketSwitches,
    IntercomSwitches,
    OpenPhoneSwitches,
    SkipcallSwitches,
    Switches,
)
from .truth import expected_call
from .world import World

__all__ = [
    "AmplemarketSwitches",
    "Fault",
    "IntercomSwitches",
    "OpenPhoneSwitches",
    "Sandbox",
    "SeenRequest",
    "SkipcallSwitches",
    "Switches",
    "World",
    "expected_call",
]
