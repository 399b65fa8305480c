"""Ports: sole owner of child processes. One port is one child, one job at a time."""

from soundforge_nb.ports.port import Caller, OnEvent, Port
from soundforge_nb.ports.program import ANALYZE, SEPARATE, Program
from soundforge_nb.ports.supervisor import LivePort, PortSupervisor

__all__ = ["ANALYZE", "SEPARATE", "Caller", "LivePort", "OnEvent", "Port", "PortSupervisor", "Program"]
