// A view's session as its drawing sees it: what is shown now, and to be told when that changes.
import { useEffect, useState } from "preact/hooks";

export class Shows<S> {
  #shown: S;
  readonly #listeners = new Set<() => void>();

  constructor(first: S) {
    this.#shown = first;
  }

  get shown(): S {
    return this.#shown;
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  protected show(part: Partial<S>): void {
    this.#shown = { ...this.#shown, ...part };
    for (const listener of this.#listeners) listener();
  }
}

export function useShown<S>(session: Shows<S>): S {
  const [shown, setShown] = useState(session.shown);
  useEffect(() => {
    setShown(session.shown);
    return session.listen(() => setShown(session.shown));
  }, [session]);
  return shown;
}
