/**
 * What the two whom a bridge joins wait for, from the 200 of whoever is called until each hears the other. Both say a tone
 * of their own as soon as they may; the frame of 20 ms in which it begins is theirs, and in the figures. How much of them is
 * the called phone's own, until its first packet leaves, is told beside them, and how much is ours, from there to the caller:
 * that packet waits for the next frame of the caller's stream, which is 10 ms away in the mean.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Recording } from '../test/support/phone/media';
import type { Phone } from '../test/support/phone/phone';
import type { Stack } from '../test/support/stack';
import { amplitudeAt, sine } from '../test/support/tones';
import { waitFor } from '../test/support/wait-for';

const CALLER_HZ = 700;
const CALLEE_HZ = 1_150;
const AMPLITUDE = 6_000;
const FRAME_SAMPLES = 160;
const TONE_SAMPLES = 40_000;
const NUMBER = '+15559876544';

export interface BridgeSetup {
  readonly calleeHears: number[];
  readonly callerHears: number[];
  readonly twoWay: number[];
  /** From its 200 until its own first packet. */
  readonly calleeSpeaks: number[];
  /** From there until the caller has heard it. */
  readonly forwarded: number[];
  /** Packets were lost or moved: whose frame was first cannot be told. */
  unreadable: number;
}

export async function bridgeSetup(
  stack: Stack,
  { phone, carrier, dialed }: { readonly phone: Phone; readonly carrier: Phone; readonly dialed: string },
  count: number,
): Promise<BridgeSetup> {
  const setup: BridgeSetup = {
    calleeHears: [],
    callerHears: [],
    twoWay: [],
    calleeSpeaks: [],
    forwarded: [],
    unreadable: 0,
  };
  for (let n = 0; n < count; n++) {
    const call = await phone.call(dialed);
    const id = await waitFor('the record of the call', 10_000, async () => {
      const page = await stack.api<{ items: { id: string; sip: { call_id: string } }[] }>(
        'GET',
        '/phone/calls?status=in_progress',
      );
      return page.body.items.find(({ sip }) => sip.call_id === call.sipCallId)?.id;
    });
    void call.play(sine(CALLER_HZ, TONE_SAMPLES, AMPLITUDE));
    const body = { type: 'phone', value: NUMBER, mode: 'bridge' };
    const { status } = await stack.api('POST', `/phone/calls/${id}/transfer`, body);
    if (status !== 200) throw new Error(`transfer: ${status}`);
    const there = await carrier.nextCall();
    void there.play(sine(CALLEE_HZ, TONE_SAMPLES, AMPLITUDE));
    await sleep(500);
    const answeredAt = performance.timeOrigin + (there.times.answered ?? 0);
    const [callee, caller] = await Promise.all([there.recording(), call.recording()]);
    const calleeHears = firstHeard(callee, CALLER_HZ);
    const callerHears = firstHeard(caller, CALLEE_HZ);
    const calleeSpeaks = callee.firstSentAtMs;
    if (calleeHears === null || callerHears === null || calleeSpeaks === null) setup.unreadable++;
    else {
      setup.calleeHears.push(calleeHears - answeredAt);
      setup.callerHears.push(callerHears - answeredAt);
      setup.calleeSpeaks.push(calleeSpeaks - answeredAt);
      setup.forwarded.push(callerHears - calleeSpeaks);
      setup.twoWay.push(Math.max(calleeHears, callerHears) - answeredAt);
    }
    await call.hangup();
    await there.ended;
    await sleep(500);
  }
  return setup;
}

/** Epoch ms of the packet in which the tone begins; null where frames and packets are not the same. */
function firstHeard({ pcm, packets, lost, firstAtMs, arrivalsMs }: Recording, hz: number): number | null {
  if (lost > 0 || packets * FRAME_SAMPLES !== pcm.length) return null;
  for (let frame = 0; frame < packets; frame++) {
    const samples = pcm.subarray(frame * FRAME_SAMPLES, (frame + 1) * FRAME_SAMPLES);
    if (amplitudeAt(samples, hz) > AMPLITUDE / 3) return frame === 0 ? firstAtMs : (arrivalsMs[frame - 1] ?? null);
  }
  return null;
}
