/** A product with phones for many transfers at once: callers that take REFERs and some that do not, and whom they are given to. */
import { setTimeout as sleep } from 'node:timers/promises';

import { freePort } from '../free-ports';
import { TemporalView } from '../live/temporal-view';
import { openRtpPorts } from '../live/tally';
import { OutboundCalls } from '../outbound';
import { CallRefused } from '../phone/dialling';
import { PhoneMedia } from '../phone/media';
import type { Answering, PhoneOptions } from '../phone/options';
import { Phone } from '../phone/phone';
import type { PhoneCall } from '../phone/phone-call';
import { scrapedByLabel, scrapedMetric } from '../scraped-metric';
import { Stack } from '../stack';
import type { ApiAnswer } from '../stack';
import { waitFor } from '../wait-for';

export const DIALED = '+15551234567';
const CALL_LIMIT_MS = 30_000;
const CALL_AGAIN_MS = 500;
/** Also on a machine that has other things to do. */
const READY_MS = 120_000;

export interface TransferRecord {
  readonly id: string;
  readonly by: string;
  readonly mode: string;
  readonly outcome: string | null;
  readonly sip_status: number | null;
  readonly duration_ms: number | null;
  readonly failed_step: string | null;
}

export interface MatrixCall {
  readonly id: string;
  readonly status: string;
  readonly disposition: string | null;
  readonly end_reason: string | null;
  readonly ended_by: string | null;
  readonly truncated: boolean;
  readonly sip: { readonly call_id: string };
  readonly transfer: TransferRecord | null;
}

interface EventPage {
  readonly items: readonly MatrixEvent[];
  readonly next: string | null;
}

export interface MatrixEvent {
  readonly source: 'node' | 'workflow';
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export class MatrixStack {
  readonly stack: Stack;
  readonly media: PhoneMedia;
  /** Says in its Allow that it takes REFER. */
  readonly pbx: Phone;
  /** Does not. */
  readonly plain: Phone;
  /** As `pbx`, and knows Replaces. */
  readonly desk: Phone;
  /** Behind the trunk. */
  readonly far: Phone;
  /** What `far` does with a number. */
  readonly answers: Map<string, Answering>;
  readonly agentId: string;
  readonly #workerPort: number;

  static async start(): Promise<MatrixStack> {
    const workerPort = await freePort();
    const stack = await Stack.start({ env: { WORKER_HTTP_PORT: String(workerPort) }, readyMs: READY_MS });
    const media = new PhoneMedia();
    try {
      const agent = { name: 'Support Agent', first_message: '', silence_timeout_seconds: 60 };
      const made = await stack.api<{ id: string }>('POST', '/phone', agent);
      const trunk = await stack.api<{ auth_username: string; auth_password: string }>(
        'POST',
        '/phone/sip/inbound-trunk',
        { phone_numbers: [DIALED] },
      );
      const answers = new Map<string, Answering>();
      const caller: PhoneOptions = {
        media,
        server: { address: stack.sipHost, port: stack.sipPort },
        credentials: { username: trunk.body.auth_username, password: trunk.body.auth_password },
      };
      const [pbx, plain, desk, far] = await Promise.all([
        Phone.open({ ...caller, takesRefer: true }),
        Phone.open(caller),
        Phone.open({ ...caller, takesRefer: true, supports: ['replaces'] }),
        // Another codec than the callers'.
        Phone.open({
          media,
          codecs: ['PCMA'],
          supports: ['replaces'],
          answer: ({ user }) => answers.get(user) ?? { status: 404 },
        }),
      ]);
      const outbound = await OutboundCalls.create(stack);
      await outbound.trunkTo(far.port, { max_concurrent_calls: 500, max_calls_per_second: 500 });
      await sleep(1_000);
      return new MatrixStack(stack, { media, pbx, plain, desk, far, answers, agentId: made.body.id, workerPort });
    } catch (error) {
      await media.close();
      await stack.stop();
      throw error;
    }
  }

  private constructor(
    stack: Stack,
    parts: Pick<MatrixStack, 'media' | 'pbx' | 'plain' | 'desk' | 'far' | 'answers' | 'agentId'> & {
      workerPort: number;
    },
  ) {
    this.stack = stack;
    this.media = parts.media;
    this.pbx = parts.pbx;
    this.plain = parts.plain;
    this.desk = parts.desk;
    this.far = parts.far;
    this.answers = parts.answers;
    this.agentId = parts.agentId;
    this.#workerPort = parts.workerPort;
  }

  /** A call that the agent has answered; a server with no time for it (503, Retry-After) is called again. */
  async answered(by: Phone): Promise<{ readonly phone: PhoneCall; readonly id: string }> {
    const phone = await waitFor('an answer', CALL_LIMIT_MS, () =>
      by.call(DIALED).catch(async (error: unknown) => {
        if (!(error instanceof CallRefused) || error.status !== 503) throw error;
        await sleep(CALL_AGAIN_MS);
        return undefined;
      }),
    );
    const { id } = await waitFor('the record of the call', CALL_LIMIT_MS, async () => {
      const page = await this.stack
        .api<{ items?: MatrixCall[] }>('GET', '/phone/calls?status=in_progress&limit=100')
        .catch(() => undefined);
      return page?.body.items?.find((item) => item.sip.call_id === phone.sipCallId);
    });
    return { phone, id };
  }

  /** Undefined while the API cannot be asked. */
  async find(callId: string): Promise<MatrixCall | undefined> {
    const answer = await this.stack.api<MatrixCall>('GET', `/phone/calls/${callId}`).catch(() => undefined);
    return answer?.status === 200 ? answer.body : undefined;
  }

  async events(callId: string): Promise<MatrixEvent[]> {
    const all: MatrixEvent[] = [];
    for (let at: string | null = ''; at !== null;) {
      const path: string = `/phone/calls/${callId}/events?limit=100${at === '' ? '' : `&cursor=${at}`}`;
      const { body }: ApiAnswer<EventPage> = await this.stack.api('GET', path);
      all.push(...body.items);
      at = body.next;
    }
    return all;
  }

  ended(callId: string, limitMs: number): Promise<MatrixCall> {
    return waitFor(`the end of ${callId}`, limitMs, async () => {
      const call = await this.find(callId);
      return call?.status === 'completed' ? call : undefined;
    });
  }

  /** Of calls that went wrong: they are nobody else's fault. */
  async hangUpStrays(): Promise<void> {
    const phones = this.#phones.flatMap((phone) => [...phone.calls.values()]);
    await Promise.all(phones.filter(({ over }) => !over).map((call) => call.hangup()));
  }

  /** Calls that the reconciler had to settle since the worker began, by cause. */
  reconciled(): Promise<Readonly<Record<string, number>>> {
    return scrapedByLabel(`http://127.0.0.1:${this.#workerPort}`, 'trunkline_reconciled_calls_total');
  }

  /** No call, leg, audio or workflow is left, at whichever end. */
  async untilNothingIsLeft(limitMs: number): Promise<void> {
    const temporal = new TemporalView(this.stack.temporalAddress);
    let left: unknown;
    try {
      await waitFor('nothing to be left', limitMs, async () => {
        const [active, calls, transfers] = await Promise.all([
          scrapedMetric(this.stack.mediaUrl, 'trunkline_calls_active'),
          temporal.runningCalls(),
          temporal.runningTransfers(),
        ]);
        const phones = this.#phones.flatMap((phone) => [...phone.calls.values()]);
        const dialogs = phones.filter(({ over }) => !over).length;
        const ports = openRtpPorts(this.stack).length;
        left = { active, calls, transfers, dialogs, ports };
        return active + calls + transfers + dialogs + ports === 0 ? true : undefined;
      });
    } catch (error) {
      throw new Error(`left over: ${JSON.stringify(left)}`, { cause: error });
    } finally {
      await temporal.close();
    }
  }

  get #phones(): readonly Phone[] {
    return [this.pbx, this.plain, this.desk, this.far];
  }

  async close(): Promise<void> {
    for (const phone of this.#phones) phone.close();
    await this.media.close();
    await this.stack.stop();
  }
}
