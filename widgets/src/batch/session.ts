// One view of a batch: what the kernel told it, what it asked for, and who is told when that changes.
import { Channel, now, type HostModel, type Timing } from "../shared/channel";
import { kernelMessage, type Action, type Answer } from "./messages";
import { Shows } from "../shared/shown";
import { NOTHING, receive, type Synced } from "./synced";

export interface Shown {
  readonly synced: Synced;
  readonly silent: boolean;
  /** The action that was asked for and is not answered yet. */
  readonly pending: Action | null;
  readonly answer: Pick<Answer, "ok" | "sentence"> | null;
}

/** An answer that takes longer waits for a cell that runs. */
const PATIENCE_MS = 3000;
const BUSY = { ok: true, sentence: "The kernel is busy with a cell. This is done as soon as it is free." };

export class Session extends Shows<Shown> {
  #request: string | null = null;
  #waiting: ReturnType<typeof setTimeout> | undefined;
  readonly #channel: Channel;

  constructor(model: HostModel, timing?: Timing) {
    super({ synced: NOTHING, silent: false, pending: null, answer: null });
    const hooks = {
      seen: () => this.shown.synced.number,
      message: (content: unknown) => this.#receive(content),
      silence: (silent: boolean) => this.show({ silent }),
    };
    this.#channel = new Channel(model, hooks, timing);
  }

  open(): void {
    this.#channel.open();
  }

  close(): void {
    clearTimeout(this.#waiting);
    this.#channel.close();
  }

  act(action: Action): void {
    this.#request = this.#channel.request({ type: "act", action });
    this.show({ pending: action, answer: null });
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => this.show({ answer: BUSY }), PATIENCE_MS);
  }

  #receive(content: unknown): void {
    if (!kernelMessage.accepts(content)) {
      console.warn("soundforge: a message that this view does not know was dropped");
      return;
    }
    if (content.type === "answer") {
      if (content.request !== this.#request) return;
      clearTimeout(this.#waiting);
      this.show({ pending: null, answer: content });
      return;
    }
    const { synced, missed } = receive(this.shown.synced, content, now());
    this.show({ synced });
    if (missed) this.#channel.watch();
    this.#channel.rest(synced.state?.state === "finished" && synced.lost === null);
  }
}
