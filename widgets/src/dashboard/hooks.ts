// What the dashboard's parts share: a clock that ticks while somebody looks.
import { useEffect, useRef, useState } from "preact/hooks";
import { now } from "../shared/channel";
import type { Session } from "./session";
import { kernelTime } from "./synced";

/** The kernel's time in seconds since 1970, anew every second. */
export function useKernelTime(session: Session, everyMs = 1000): number {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState !== "hidden") tick((ticks) => ticks + 1);
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return kernelTime(session.shown.synced, now());
}

/** The latest value, for listeners that live longer than a drawing. */
export function useLatest<T>(value: T): { readonly current: T } {
  const latest = useRef(value);
  latest.current = value;
  return latest;
}
