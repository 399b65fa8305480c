// The channel of one view to its kernel: heartbeats while somebody can see it, silence noticed, requests answered.

/** What a host of anywidget offers, cut down to what we use. */
export interface HostModel {
  send(content: unknown): void;
  on(event: "msg:custom", listener: (content: unknown) => void): void;
  off(event: "msg:custom", listener: (content: unknown) => void): void;
}

export interface Timing {
  readonly heartbeatSeconds: number;
  /** A kernel that says nothing for so long, though it was asked, is busy or gone. */
  readonly silenceSeconds: number;
}

export const TIMING: Timing = { heartbeatSeconds: 5, silenceSeconds: 13 };

export function now(): number {
  return performance.now() / 1000;
}

export class Channel {
  readonly view = `view-${Math.random().toString(36).slice(2)}${Date.now().toString(36)}`;
  /** At rest nothing will come by itself, so the heart need not beat and an idle kernel may be culled. */
  #resting = false;
  #timer: ReturnType<typeof setInterval> | undefined;
  #heard = now();
  #silent = false;
  #requests = 0;

  constructor(
    private readonly model: HostModel,
    private readonly hooks: {
      readonly seen: () => number;
      readonly message: (content: unknown) => void;
      readonly silence: (silent: boolean) => void;
    },
    private readonly timing: Timing = TIMING,
  ) {}

  open(): void {
    this.model.on("msg:custom", this.#receive);
    document.addEventListener("visibilitychange", this.#seeOrHide);
    this.#seeOrHide();
  }

  close(): void {
    clearInterval(this.#timer);
    document.removeEventListener("visibilitychange", this.#seeOrHide);
    this.model.off("msg:custom", this.#receive);
    this.#send({ type: "leave", view: this.view });
  }

  /** Say that this view is there, and how far it is. */
  watch(): void {
    this.#send({ type: "watch", view: this.view, seen: this.hooks.seen() });
  }

  /** Ask for something; what comes back names the request. */
  request(content: Readonly<Record<string, unknown>>): string {
    const request = `${this.view}-${++this.#requests}`;
    this.#send({ ...content, request });
    return request;
  }

  rest(resting: boolean): void {
    if (resting === this.#resting) return;
    this.#resting = resting;
    this.#beat();
    if (!resting) this.watch();
  }

  #receive = (content: unknown): void => {
    this.#heard = now();
    this.#tellSilence(false);
    this.hooks.message(content);
  };

  #seeOrHide = (): void => {
    this.#heard = now();
    this.#beat();
    if (document.visibilityState !== "hidden") this.watch();
  };

  #beat(): void {
    clearInterval(this.#timer);
    if (this.#resting || document.visibilityState === "hidden") return;
    this.#timer = setInterval(() => {
      this.#tellSilence(now() - this.#heard > this.timing.silenceSeconds);
      this.watch();
    }, this.timing.heartbeatSeconds * 1000);
  }

  #tellSilence(silent: boolean): void {
    if (silent === this.#silent) return;
    this.#silent = silent;
    this.hooks.silence(silent);
  }

  #send(content: unknown): void {
    try {
      this.model.send(content);
    } catch {
      // The kernel is gone, and with it the channel: silence tells so.
    }
  }
}
