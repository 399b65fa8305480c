// One view of the dashboard: what the kernel told it, what it asked, and who is told when that changes.
import { Channel, now, type HostModel, type Timing } from "../shared/channel";
import { kernelMessage, type Action, type Filters, type KernelMessage, type Reply } from "./messages";
import { Shows } from "../shared/shown";
import { NOTHING, receive, type Synced } from "./synced";

export interface Told {
  readonly ok: boolean;
  readonly sentence: string;
}

export interface Shown {
  readonly synced: Synced;
  readonly silent: boolean;
  /** How many actions were asked for and are not answered yet. */
  readonly acting: number;
  readonly told: Told | null;
}

/** An answer that takes longer waits for a cell that runs. */
const PATIENCE_MS = 3000;
/** A question that is not answered in this time may be asked again: its kernel was restarted, or works. */
const UNANSWERED_MS = 12_000;
const BUSY = { ok: true, sentence: "The kernel is busy with a cell. This is done as soon as it is free." };

interface Waiting {
  readonly answered: (reply: Reply) => void;
  readonly patience: ReturnType<typeof setTimeout>;
}

export class Session extends Shows<Shown> {
  readonly #waiting = new Map<string, Waiting>();
  readonly #channel: Channel;

  constructor(model: HostModel, timing?: Timing) {
    super({ synced: NOTHING, silent: false, acting: 0, told: null });
    const hooks = {
      seen: () => this.shown.synced.number,
      message: (content: unknown) => this.#receive(content),
      silence: (silent: boolean) => this.show({ silent }),
    };
    this.#channel = new Channel(model, hooks, timing);
  }

  /** Tells the parts of this view apart from those of another one on the same page. */
  get id(): string {
    return this.#channel.view;
  }

  open(): void {
    this.#channel.open();
  }

  close(): void {
    for (const { patience } of this.#waiting.values()) clearTimeout(patience);
    this.#waiting.clear();
    this.#channel.close();
  }

  askJobs(filters: Filters, offset: number, size: number): Promise<Reply> {
    return this.#ask({ type: "ask_jobs", filters, offset, size });
  }

  askJob(jobId: string): Promise<Reply> {
    return this.#ask({ type: "ask_job", job_id: jobId });
  }

  askMetrics(since: number): Promise<Reply> {
    return this.#ask({ type: "ask_metrics", since });
  }

  act(action: Action, targets: readonly string[], limit: number | null = null): void {
    this.show({ acting: this.shown.acting + 1, told: null });
    const answered = (reply: Reply) => {
      const told = reply.type === "answer" ? reply : { ok: false, sentence: "The kernel gave no answer." };
      this.show({ acting: this.shown.acting - 1, told });
    };
    // However late the answer comes: a deed that waits for a cell is done all the same.
    this.#send({ type: "act", action, targets, limit }, answered, PATIENCE_MS, () => this.show({ told: BUSY }));
  }

  forget(): void {
    this.show({ told: null });
  }

  #ask(content: Record<string, unknown>): Promise<Reply> {
    return new Promise((answered) => {
      const request = this.#send(content, answered, UNANSWERED_MS, () => {
        this.#waiting.delete(request);
        answered({ type: "refused", request, sentence: "The kernel has not answered yet." });
      });
    });
  }

  #send(
    content: Record<string, unknown>,
    answered: (reply: Reply) => void,
    patienceMs: number,
    impatient: () => void,
  ): string {
    const request = this.#channel.request(content);
    this.#waiting.set(request, { answered, patience: setTimeout(impatient, patienceMs) });
    return request;
  }

  #receive(content: unknown): void {
    if (!kernelMessage.accepts(content)) {
      console.warn("soundforge: a message that this view does not know was dropped");
      return;
    }
    if (isReply(content)) {
      const waiting = this.#waiting.get(content.request);
      this.#waiting.delete(content.request);
      clearTimeout(waiting?.patience);
      waiting?.answered(content);
      return;
    }
    const { synced, missed } = receive(this.shown.synced, content, now());
    this.show({ synced });
    if (missed) this.#channel.watch();
  }
}

function isReply(message: KernelMessage): message is Reply {
  return "request" in message;
}
