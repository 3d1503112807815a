import type { CallControl, CommandResult } from '../../../../contract/commands';
import { BOOT_ID, CallLayer } from '../../../fakes/call-layer';
import { settle } from '../../../fakes/fake-clock';
import { FakeInboundDialog, PHONE_SDP, VIDEO_ONLY_SDP } from '../../../fakes/fake-sip';

const CALL = 'call-sip-1';
const LISTENING = PHONE_SDP.replace('sendrecv', 'recvonly');

const directionOf = (sdp: string | undefined): string | undefined =>
  /^a=(send\w+|recvonly|inactive)/m.exec(sdp ?? '')?.[1];
const versionOf = (sdp: string | undefined): number => Number(/^o=\S+ \S+ (\d+)/m.exec(sdp ?? '')?.[1]);

describe('a call that we put on hold', () => {
  let layer: CallLayer;
  let dialog: FakeInboundDialog;
  let commands: number;

  beforeEach(async () => {
    layer = new CallLayer();
    commands = 0;
    dialog = await layer.answered();
    dialog.reofferOutcome = { ok: true, sdp: LISTENING };
  });

  const tell = (control: CallControl, commandId = `command-${++commands}`): Promise<CommandResult> =>
    layer.control.control({ callId: CALL, commandId, bootId: BOOT_ID, control });

  const events = (type: string): object[] =>
    layer.events.ofCall(CALL).flatMap((event) => (event.type === type ? [event] : []));

  it('asks the peer for it, counts once the peer has agreed, and goes on afterwards', async () => {
    expect(await tell({ type: 'hold' })).toEqual({ ok: true });
    await settle();
    expect(directionOf(dialog.reoffers[0])).toBe('sendonly');
    expect(versionOf(dialog.reoffers[0])).toBe(versionOf(dialog.answers[0] ?? '') + 1);
    expect(layer.agent.holds.at(-1)).toBe(true);
    expect(layer.rtp.last.remotes.at(-1)).toMatchObject({ send: true, receive: false });
    expect(layer.rtp.last).toMatchObject({ paused: true, background: 'music' });
    expect(events('command')).toMatchObject([{ commandId: 'command-1', verb: 'hold', outcome: 'done' }]);
    expect(await tell({ type: 'say', text: 'Hello?', interrupt: false })).toEqual({ ok: false, code: 'on_hold' });
    expect(await tell({ type: 'dtmf', digits: '1' })).toEqual({ ok: false, code: 'on_hold' });
    dialog.reofferOutcome = { ok: true, sdp: PHONE_SDP };
    expect(await tell({ type: 'unhold' })).toEqual({ ok: true });
    await settle();
    expect(directionOf(dialog.reoffers[1])).toBe('sendrecv');
    expect(versionOf(dialog.reoffers[1])).toBe(versionOf(dialog.reoffers[0]) + 1);
    expect(layer.agent.holds.at(-1)).toBe(false);
    expect(layer.rtp.last.remotes.at(-1)).toMatchObject({ send: true, receive: true });
    expect(layer.rtp.last).toMatchObject({ paused: false, background: null });
    expect(events('hold')).toMatchObject([
      { ours: true, theirs: false },
      { ours: false, theirs: false },
    ]);
  });

  it('is not asked twice for what is so already', async () => {
    await tell({ type: 'unhold' });
    await tell({ type: 'hold' });
    await tell({ type: 'hold' });
    await tell({ type: 'hold' }, 'command-2');
    await settle();
    expect(dialog.reoffers).toHaveLength(1);
    expect(events('command')).toMatchObject([{ verb: 'unhold' }, { verb: 'hold' }, { verb: 'hold' }]);
    expect(events('hold')).toHaveLength(1);
  });

  it.each([
    ['a refusal', { ok: false, status: 488 }, 488],
    ['no answer', { ok: false, status: null }, null],
    ['an answer of no use', { ok: true, sdp: VIDEO_ONLY_SDP }, null],
  ] as const)('is as it was after %s, and the event says so', async (_what, outcome, sipStatus) => {
    dialog.reofferOutcome = outcome;
    await tell({ type: 'hold' });
    await settle();
    expect(events('command')).toMatchObject([{ verb: 'hold', outcome: 'failed', sipStatus }]);
    expect(events('hold')).toEqual([]);
    expect(layer.agent.holds.at(-1)).toBe(false);
    expect(layer.rtp.last.remotes).toHaveLength(1);
    const answer = dialog.delegate.onReoffer?.(PHONE_SDP) as { sdp: string };
    expect(directionOf(answer.sdp)).toBe('sendrecv');
    expect(versionOf(answer.sdp)).toBeGreaterThan(versionOf(dialog.reoffers[0]));
  });

  it('gives the agent no key that is pressed meanwhile', async () => {
    await tell({ type: 'hold' });
    await settle();
    dialog.delegate.onDtmf?.('1');
    expect(layer.agent.digits).toEqual([]);
    expect(events('dtmf')).toMatchObject([{ count: 1 }]);
  });

  it('says no more of it once it has ended', async () => {
    const hold = tell({ type: 'hold' });
    dialog.peerBye();
    await hold;
    await settle();
    expect(layer.events.ofCall(CALL).at(-1)?.type).toBe('ended');
    expect(await tell({ type: 'unhold' })).toEqual({ ok: false, code: 'ended' });
  });

  it('takes no more changes than it can keep, before it is answered none', async () => {
    let answer: () => void = () => undefined;
    const waits = new Promise<void>((resolve) => (answer = resolve));
    dialog.reoffer = () => waits.then(() => ({ ok: true, sdp: LISTENING }));
    const results = await Promise.all(Array.from({ length: 13 }, () => tell({ type: 'hold' })));
    expect(results.filter(({ ok }) => !ok)).toEqual([
      { ok: false, code: 'too_many' },
      { ok: false, code: 'too_many' },
    ]);
    answer();
    await settle();
    layer.warmAtOnce = false;
    layer.receive(new FakeInboundDialog({ sipCallId: 'sip-2' }));
    await settle();
    const early = { callId: 'call-sip-2', commandId: 'early', bootId: BOOT_ID, control: { type: 'hold' } } as const;
    expect(await layer.control.control(early)).toEqual({ ok: false, code: 'not_answered' });
  });

  it('tells of no more holds of its peer than a person would make', () => {
    const held = PHONE_SDP.replace('sendrecv', 'sendonly');
    for (let i = 0; i < 300; i++) {
      dialog.delegate.onReoffer?.(held);
      dialog.delegate.onReoffer?.(PHONE_SDP);
    }
    expect(events('hold')).toHaveLength(400);
    expect(events('hold').at(-1)).toMatchObject({ ours: false, theirs: false });
  });
});
