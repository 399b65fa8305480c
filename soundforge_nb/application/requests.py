"""How a call arrives: a method's name and JSON arguments in, JSON or an error out."""

from __future__ import annotations

import inspect
import json
import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from soundforge_nb.errors import ConnectError, SoundforgeError, UsageError
from soundforge_nb.lifecycle.telemetry import Telemetry

log = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., Any])


def call(function: F) -> F:
    """Mark a method as one that clients may call."""
    function.__soundforge_call__ = True  # type: ignore[attr-defined]
    return function


async def answer(
    target: object, method: str, arguments: str, *, is_open: bool, telemetry: Telemetry
) -> dict[str, Any]:
    """Call `method` of `target`; never raises.

    Returns
    -------
    dict
        ``{"ok": <JSON text>}``, ``{"ok": …, "bytes": …}`` where the method gives bytes, or
        ``{"error": <JSON text>}``.
    """
    started = time.perf_counter()
    function = getattr(target, method, None)
    try:
        if not is_open and method != "node_ready":
            raise ConnectError(
                "The application is starting or ending.", "Try again in a moment.", kind="closed"
            )
        if not getattr(function, "__soundforge_call__", False) or function is None:
            raise UsageError(f"The application has no call named {method!r}.")
        given = json.loads(arguments)
        try:
            inspect.signature(function).bind(**given)
        except TypeError as error:
            raise UsageError(f"The call {method} was given wrong arguments: {error}.") from error
        result = await function(**given)
    except SoundforgeError as error:
        return {"error": json.dumps(error.as_json())}
    except Exception as error:
        log.exception("the call %s failed", method)
        fault = SoundforgeError(
            f"The application failed at {method}: {type(error).__name__}: {error}",
            "See its log.",
            kind="internal",
        )
        return {"error": json.dumps(fault.as_json())}
    finally:
        telemetry.execute("rpc.stop", {"duration_seconds": time.perf_counter() - started}, {"method": method})
    if isinstance(result, bytes):
        return {"ok": "null", "bytes": result}
    return {"ok": json.dumps(result, default=_plain)}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON")
