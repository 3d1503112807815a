/**
 * Calls of a node with itself before it is ready, over loopback: credentials, SIP, SDP, agent, hang-up. Code that never ran
 * is interpreted and takes ten times as long, and the callers of the first seconds would wait for it. Nothing is stored,
 * counted or heard, no port of calls is taken.
 */
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { withDeadline } from '../../ops/deadline';
import { systemClock } from '../clock';
import { MediaService, type MediaServiceOptions } from '../media-service';
import { SdpSession } from '../sdp/sdp-session';
import type { OutboundDialog } from '../sip/dialog';
import { SipServer } from '../sip/sip-server';
import { SoundlessRtp } from './soundless-rtp';

const ADDRESS = '127.0.0.1';
const CALLS_AT_ONCE = 8;
const USERNAME = 'rehearsal';
const NUMBER = '+15550100';

export interface RehearsalOptions extends Pick<
  MediaServiceOptions,
  'directory' | 'capacity' | 'events' | 'createAgent'
> {
  readonly calls: number;
  /** Whatever is not rehearsed by then is not. */
  readonly limitMs: number;
  readonly logger: Logger;
}

/** How many calls there were. Never rejects: a node that cannot rehearse is slower at first, and that is all. */
export async function rehearse(options: RehearsalOptions): Promise<number> {
  const { limitMs, logger } = options;
  const stage = new Stage(options);
  try {
    await withDeadline(stage.play(), limitMs);
  } catch (error) {
    logger.debug({ err: error }, 'rehearsal was cut short');
  }
  try {
    await stage.close();
  } catch (error) {
    logger.warn({ err: error }, 'rehearsal could not be ended');
  }
  return stage.played;
}

class Stage {
  played = 0;
  readonly #options: RehearsalOptions;
  readonly #password = randomBytes(12).toString('hex');
  readonly #callee: MediaService;
  readonly #caller: SipServer;
  #server: SipServer | null = null;
  #closed = false;

  constructor(options: RehearsalOptions) {
    this.#options = options;
    const { directory, capacity, events, createAgent, logger } = options;
    const silent = logger.child({}, { level: 'silent' });
    const ignore = (): void => undefined;
    const listen = [{ host: ADDRESS, port: 0 }];
    const nonceKey = randomBytes(32);
    this.#callee = new MediaService({
      nodeId: 'rehearsal',
      bootId: 'rehearsal',
      maxCalls: options.calls,
      clock: systemClock,
      rtp: new SoundlessRtp(),
      observer: { callBegan: ignore, callEnded: ignore, rejected: ignore, turnLatency: ignore },
      logger: silent,
      directory,
      capacity,
      events,
      createAgent,
      credentials: (username) =>
        username === USERNAME ? { username, password: this.#password, trunkId: USERNAME, orgId: USERNAME } : undefined,
      createEndpoint: (delegate) => (this.#server = new SipServer({ listen, nonceKey, delegate })),
    });
    this.#caller = new SipServer({
      listen,
      nonceKey,
      delegate: {
        onInvite: (dialog) => dialog.reject(404),
        credentials: () => undefined,
        availability: () => ({ available: true, retryAfterSeconds: 0 }),
      },
    });
  }

  async play(): Promise<void> {
    await Promise.all([this.#callee.open(), this.#caller.start()]);
    let left = this.#options.calls;
    const line = async (): Promise<void> => {
      while (left-- > 0 && !this.#closed) {
        await this.#call();
        this.played++;
      }
    };
    await Promise.all(Array.from({ length: CALLS_AT_ONCE }, line));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#callee.calls.hangUpAll('node_drained', 'system');
    await Promise.all([this.#callee.close(), this.#caller.close()]);
  }

  /** From INVITE without credentials to the answer to BYE. */
  async #call(): Promise<void> {
    const port = this.#server?.addresses[0]?.port ?? 0;
    const password = this.#password;
    let hangUp = (): void => undefined;
    const answered = new Promise<void>((resolve) => (hangUp = resolve));
    let over = (): void => undefined;
    const closed = new Promise<void>((resolve) => (over = resolve));
    const dialog: OutboundDialog = await this.#caller.invite(
      {
        sipCallId: `${randomBytes(8).toString('hex')}@${USERNAME}`,
        target: { user: NUMBER, host: ADDRESS, port, transport: 'udp' },
        fromUser: NUMBER,
        credentials: { username: USERNAME, password },
        offer: (localAddress) => new SdpSession({ localAddress, port: 9 }).offer(),
      },
      { onAccept: () => hangUp(), onReject: () => hangUp(), onClosed: () => over() },
    );
    await answered;
    // Behind the ACK.
    await new Promise((resolve) => setImmediate(resolve));
    dialog.bye();
    await closed;
  }
}
