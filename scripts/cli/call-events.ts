/** A call's timeline as it grows. */
import type { ApiClient } from './api-client';
import { CliFailure, RefusedByApi } from './failure';
import { flatFields, printable } from './table';

export interface CallEventLine {
  /** Unique in the call. */
  readonly id: string;
  readonly at: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What is read of a call's record here. */
export interface CallSummary {
  readonly id: string;
  readonly status: string;
}

/** Leaves most of the 100 requests a minute that a key has to others. */
const POLL_MS = 1_000;
/** A call whose events are lost is over without one that says so. */
const ASK_RECORD_AFTER_POLLS = 5;
/** A server that restarts is back by then. */
const MAX_FAILURES = 30;

export interface FollowOptions {
  readonly api: ApiClient;
  readonly callId: string;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** False: what is there now, and no more. */
  readonly follow: boolean;
}

/** Every event once, the older first as far as they are there in time; ends with the call. */
export async function* followEvents(options: FollowOptions): AsyncGenerator<CallEventLine> {
  const { api, callId, sleep, follow } = options;
  const path = `/phone/calls/${callId}`;
  const timeline = new Timeline(api, `${path}/events`);
  let quietPolls = 0;
  yield* await timeline.unseen();
  while (follow && !timeline.ended) {
    await sleep(POLL_MS);
    const fresh = await outlasting(sleep, () => timeline.unseen());
    yield* fresh;
    quietPolls = fresh.length > 0 ? 0 : quietPolls + 1;
    if (quietPolls % ASK_RECORD_AFTER_POLLS !== ASK_RECORD_AFTER_POLLS - 1) continue;
    const { status } = await outlasting(sleep, () => api.get<CallSummary>(path));
    if (status === 'completed') break;
  }
  if (!follow || timeline.readWhole) return;
  // The node's last events may be stored after the end, and sort before it.
  await sleep(POLL_MS);
  yield* await outlasting(sleep, () => timeline.unseen({ fromStart: true }));
}

/** Reads on from the last page that was full: pages before it do not change but for an event that was late. */
class Timeline {
  /** The call's last event was among those seen. */
  ended = false;
  readonly #api: ApiClient;
  readonly #path: string;
  readonly #seen = new Set<string>();
  #cursor: string | undefined;
  #reads = 0;

  constructor(api: ApiClient, path: string) {
    this.#api = api;
    this.#path = path;
  }

  /** It was over when it was first read. */
  get readWhole(): boolean {
    return this.ended && this.#reads === 1;
  }

  async unseen({ fromStart = false } = {}): Promise<readonly CallEventLine[]> {
    const fresh: CallEventLine[] = [];
    let cursor = fromStart ? undefined : this.#cursor;
    for await (const { items, next } of this.#api.pages<CallEventLine>(this.#path, { cursor })) {
      fresh.push(...items.filter(({ id }) => !this.#seen.has(id)));
      cursor = next ?? cursor;
    }
    // Where a page failed all are read again: nothing counts as read before it is handed on.
    this.#cursor = cursor;
    for (const { id, type } of fresh) {
      this.#seen.add(id);
      if (type === 'call.ended' || type === 'call.failed') this.ended = true;
    }
    this.#reads += 1;
    return fresh;
  }
}

/** A call goes on while the API is restarted, or tells us to slow down. */
async function outlasting<T>(sleep: FollowOptions['sleep'], ask: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await ask();
    } catch (error) {
      if (failures === MAX_FAILURES || !mayPass(error)) throw error;
      const retryAfterMs = error instanceof RefusedByApi ? error.retryAfterMs : null;
      await sleep(retryAfterMs ?? POLL_MS);
    }
  }
}

function mayPass(error: unknown): boolean {
  if (error instanceof RefusedByApi) return error.status === 429 || error.status >= 500;
  return error instanceof CliFailure && error.code === 'unreachable';
}

/** `21:30:06.123  sip  → INVITE` */
export function eventText({ at, type, data }: CallEventLine): string {
  return `${at.slice(11, 23)}  ${printable(type).padEnd(12)}  ${contentOf(type, data)}`.trimEnd();
}

function contentOf(type: string, data: CallEventLine['data']): string {
  const { entry, turn } = data as { entry?: SipEntry; turn?: SpokenTurn };
  if (type === 'sip' && entry !== undefined) return sipText(entry);
  if (type === 'turn' && turn !== undefined) return printable(`${turn.speaker}: ${turn.text}`);
  const [only, ...others] = Object.values(data);
  const wrapped = others.length === 0 && only !== null && typeof only === 'object' && !Array.isArray(only);
  return flatFields(wrapped ? only : data)
    .filter(([, value]) => value !== '-')
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

type SipEntry = Readonly<Record<'direction' | 'method' | 'status' | 'reason' | 'cseq', string | number | null>>;
type SpokenTurn = Readonly<Record<'speaker' | 'text', string>>;

function sipText({ direction, method, status, reason, cseq }: SipEntry): string {
  const line = status === null ? method : `${status} ${reason ?? ''} (${cseq})`;
  return `${direction === 'in' ? '←' : '→'} ${printable(String(line))}`;
}
