"""Cold ports, as the settings want them: a fresh interpreter for each call."""

from __future__ import annotations

from soundforge_nb.config import Config
from soundforge_nb.ports.environment import child_environment
from soundforge_nb.ports.port import Port
from soundforge_nb.ports.program import Program
from soundforge_nb.ports.supervisor import OnEvent, PortSupervisor


def cold_port(
    program: Program,
    config: Config,
    *,
    threads: int,
    gpu: str | None = None,
    supervisor: PortSupervisor | None = None,
    on_event: OnEvent | None = None,
) -> Port:
    """A port for a program of ours; cheap to make, one a job.

    Parameters
    ----------
    threads : int
        How many threads the child may compute with.
    gpu : str, optional
        The only GPU that the child sees, as CUDA_VISIBLE_DEVICES names it.
    """
    return Port(
        program,
        supervisor=supervisor,
        environment=child_environment(config, threads, gpu=gpu),
        terminate_grace_seconds=config.terminate_grace_seconds,
        cancel_grace_seconds=config.cancel_grace_seconds,
        on_event=on_event,
    )
