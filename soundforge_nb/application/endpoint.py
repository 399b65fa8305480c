"""What the scheduler's HTTP server answers, on loopback: health and metrics of the application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distributed.http.utils import RequestHandler

from soundforge_nb.application.exposition import CONTENT_TYPE, exposition

if TYPE_CHECKING:
    from soundforge_nb.application.extension import ForgeExtension


class _Handler(RequestHandler):
    """Asks the extension; each request is measured, as ``endpoint.stop``."""

    @property
    def extension(self) -> ForgeExtension | None:
        found: ForgeExtension | None = self.server.plugins.get("soundforge")
        return found

    def on_finish(self) -> None:
        if self.extension is not None:
            self.extension.application.telemetry.execute(
                "endpoint.stop",
                {"duration_seconds": self.request.request_time()},
                {"route": self.request.path, "status": self.get_status()},
            )


class HealthHandler(_Handler):
    """200 where every child runs, else 503; the body tells each child's state."""

    def get(self) -> None:
        children: list[dict[str, Any]] = self.extension.which_children() if self.extension else []
        healthy = bool(children) and all(child["state"] == "running" for child in children)
        self.set_status(200 if healthy else 503)
        self.set_header("Content-Type", "application/json")
        self.write({"healthy": healthy, "children": children})


class MetricsHandler(_Handler):
    """Every metric in Prometheus' format."""

    def get(self) -> None:
        if self.extension is None or not hasattr(self.extension.application, "metrics"):
            self.set_status(503)
            return
        self.set_header("Content-Type", CONTENT_TYPE)
        self.write(exposition(self.extension.application))


routes: list[tuple[str, type, dict[str, Any]]] = [
    (r"/soundforge/health", HealthHandler, {}),
    (r"/soundforge/metrics", MetricsHandler, {}),
]
