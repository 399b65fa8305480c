"""What the scheduler's HTTP server answers, on loopback: the health of the application."""

from __future__ import annotations

from typing import Any

from distributed.http.utils import RequestHandler


class HealthHandler(RequestHandler):
    """200 where every child runs, else 503; the body tells each child's state."""

    def get(self) -> None:
        extension = self.server.plugins.get("soundforge")
        children: list[dict[str, Any]] = extension.which_children() if extension else []
        healthy = bool(children) and all(child["state"] == "running" for child in children)
        self.set_status(200 if healthy else 503)
        self.set_header("Content-Type", "application/json")
        self.write({"healthy": healthy, "children": children})


routes: list[tuple[str, type, dict[str, Any]]] = [(r"/soundforge/health", HealthHandler, {})]
