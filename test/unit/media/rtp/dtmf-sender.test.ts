import fc from 'fast-check';

import { DtmfReceiver } from '../../../../media/rtp/dtmf-receiver';
import { RtpPacketView } from '../../../../media/rtp/packet';
import { DtmfSender, TELEPHONE_EVENT_BYTES } from '../../../../media/rtp/dtmf-sender';

const FRAME_SAMPLES = 160;
const KEYS = '0123456789*#ABCD'.split('');

interface Sent {
  readonly timestamp: number;
  readonly first: boolean;
  readonly payload: readonly number[];
}

/** All packets of the keys, `null` for frames in which nothing is pressed. */
function press(keys: string): { packets: (Sent | null)[]; outcomes: boolean[] } {
  const sender = new DtmfSender();
  const outcomes: boolean[] = [];
  sender.press(keys, (sent) => outcomes.push(sent));
  const packets: (Sent | null)[] = [];
  for (let frame = 0; sender.busy; frame++) {
    const bytes = new Uint8Array(TELEPHONE_EVENT_BYTES);
    const kind = sender.frame(bytes, 0, 1_000 + frame * FRAME_SAMPLES, FRAME_SAMPLES);
    packets.push(
      kind === 'rest' ? null : { timestamp: sender.timestamp, first: kind === 'first', payload: [...bytes] },
    );
  }
  return { packets, outcomes };
}

describe('keys that are pressed', () => {
  it('are one event each: one timestamp, a growing duration, the end three times', () => {
    const { packets, outcomes } = press('5#');
    const events = [packets.slice(0, 12), packets.slice(12)];
    for (const [at, code] of [
      [0, 5],
      [1, 11],
    ] as const) {
      const sent = events[at]!.filter((packet) => packet !== null);
      expect(new Set(sent.map(({ timestamp }) => timestamp)).size).toBe(1);
      expect(sent.map(({ first }) => first)).toEqual([true, ...Array<boolean>(7).fill(false)]);
      expect(sent.map(({ payload: [event] }) => event)).toEqual(Array<number>(8).fill(code));
      expect(sent.map(({ payload: [, flags = 0] }) => flags >= 0x80)).toEqual([
        ...Array<boolean>(5).fill(false),
        ...Array<boolean>(3).fill(true),
      ]);
      const durations = sent.map(({ payload: [, , high = 0, low = 0] }) => high * 256 + low);
      expect(durations).toEqual([160, 320, 480, 640, 800, 800, 800, 800]);
    }
    expect(outcomes).toEqual([true]);
  });

  it('are heard by a receiver each once, whatever is pressed and whichever packet is lost', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...KEYS, 'w'), { minLength: 1, maxLength: 32 }),
        fc.integer({ min: 0, max: 7 }),
        (keys, lost) => {
          const heard: string[] = [];
          const receiver = new DtmfReceiver(8000, (digit) => heard.push(digit));
          let nowMs = 0;
          let ofKey = 0;
          let sequenceNumber = 65_530;
          for (const packet of press(keys.join('')).packets) {
            nowMs += 20;
            sequenceNumber = (sequenceNumber + 1) & 0xffff;
            if (packet === null) continue;
            ofKey = packet.first ? 0 : ofKey + 1;
            if (ofKey === lost) continue;
            const view = new RtpPacketView();
            Object.assign(view, { sequenceNumber, timestamp: packet.timestamp, payloadBytes: TELEPHONE_EVENT_BYTES });
            receiver.receive(view, Uint8Array.from(packet.payload), nowMs);
          }
          receiver.poll(nowMs + 2_000);
          expect(heard.join('')).toBe(keys.filter((key) => key !== 'w').join(''));
        },
      ),
    );
  });

  it('of a pause take half a second and send nothing', () => {
    expect(press('w').packets).toEqual(Array<null>(25).fill(null));
  });

  it('that were not sent when the session closes are told so', () => {
    const sender = new DtmfSender();
    const outcomes: boolean[] = [];
    sender.press('12', (sent) => outcomes.push(sent));
    sender.press('3', (sent) => outcomes.push(sent));
    sender.abandon();
    expect(outcomes).toEqual([false, false]);
    expect(sender.busy).toBe(false);
  });
});
