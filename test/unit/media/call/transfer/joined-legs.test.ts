import type { CallControl, CommandResult } from '../../../../../contract/commands';
import type { LegDial } from '../../../../../contract/transfers';
import { BOOT_ID, CallLayer } from '../../../../fakes/call-layer';
import { settle } from '../../../../fakes/fake-clock';
import { TRUNK } from '../../../../fakes/fake-directory';
import type { FakeRtpSession } from '../../../../fakes/fake-rtp-engine';
import { PHONE_SDP } from '../../../../fakes/fake-sip';
import type { FakeInboundDialog } from '../../../../fakes/fake-sip';

const CALL = 'call-sip-1';
const DIAL: LegDial = {
  legId: 'leg-1',
  target: { type: 'phone', number: '+15557770000' },
  name: 'Sales',
  trunkId: TRUNK.id,
  ringTimeoutSeconds: 20,
  sessionId: null,
  agentId: null,
  contactId: null,
};
const HOLDING = PHONE_SDP.replace('sendrecv', 'sendonly');
const INACTIVE = PHONE_SDP.replace('sendrecv', 'inactive');
const LISTENING = PHONE_SDP.replace('sendrecv', 'recvonly');
const NO_EVENTS = PHONE_SDP.replace('0 101', '0').replace('a=rtpmap:101 telephone-event/8000\r\n', '');

describe('two legs that are joined', () => {
  let layer: CallLayer;
  let caller: FakeInboundDialog;
  let commands = 0;

  beforeEach(async () => {
    layer = new CallLayer();
    caller = await layer.answered();
  });

  const tell = async (control: CallControl): Promise<CommandResult> => {
    const taken = await layer.control.control({
      callId: CALL,
      commandId: `command-${++commands}`,
      bootId: BOOT_ID,
      control,
    });
    await settle();
    return taken;
  };
  const join = async (farSdp = PHONE_SDP): Promise<void> => {
    await tell({ type: 'dialLeg', leg: DIAL });
    far().accept(farSdp);
    await settle();
  };
  const far = () => layer.endpoint.last;
  const near = (): FakeRtpSession => layer.rtp.sessions[0]!;
  const other = (): FakeRtpSession => layer.rtp.sessions[1]!;
  const sounds = (): unknown[] => [near().connectedTo === other(), near().background, other().background];

  it('are parted while we hold the caller, both with music, and joined again', async () => {
    await join();
    expect(sounds()).toEqual([true, null, null]);
    caller.reofferOutcome = { ok: true, sdp: LISTENING };
    expect(await tell({ type: 'hold' })).toEqual({ ok: true });
    expect(caller.reoffers.at(-1)).toContain('a=sendonly');
    expect(sounds()).toEqual([false, 'music', 'music']);
    caller.reofferOutcome = { ok: true, sdp: PHONE_SDP };
    expect(await tell({ type: 'unhold' })).toEqual({ ok: true });
    expect(sounds()).toEqual([true, null, null]);
    expect(far().reoffers).toEqual([]);
    expect(near().paused).toBe(false);
  });

  it('are not held for somebody whom a REFER has taken away, nor while somebody is called', async () => {
    await tell({ type: 'dialLeg', leg: DIAL });
    expect(await tell({ type: 'hold' })).toEqual({ ok: false, code: 'transferring' });
    far().refuse(486);
    await settle();
    caller.peerCan.add('REFER');
    await tell({ type: 'refer', leg: { ...DIAL, legId: 'leg-2' }, fallback: false });
    caller.endRefer({ kind: 'accepted', final: { status: 200, reason: 'OK' } } as never);
    await settle();
    expect(await tell({ type: 'hold' })).toEqual({ ok: false, code: 'transferred' });
  });

  it('give music to whoever waits for the one that holds', async () => {
    await join();
    caller.delegate.onReoffer?.(HOLDING);
    expect(sounds()).toEqual([true, null, 'music']);
    caller.delegate.onReoffer?.(PHONE_SDP);
    expect(sounds()).toEqual([true, null, null]);
    far().delegate.onReoffer?.(INACTIVE);
    expect(sounds()).toEqual([true, 'music', null]);
    expect(other().remotes.at(-1)).toMatchObject({ send: false, receive: false });
    far().delegate.onReoffer?.(PHONE_SDP);
    expect(sounds()).toEqual([true, null, null]);
  });

  it('end when the far peer has stopped sending and does not answer either', async () => {
    await join();
    other().delegate.onMediaQuiet?.(true);
    await settle();
    expect([far().probes, far().over]).toEqual([1, false]);
    far().life = 'gone';
    other().delegate.onMediaQuiet?.(true);
    await settle();
    expect(far().probes).toBe(2);
    expect([far().sent.at(-1), caller.sent.at(-1)]).toEqual(['BYE', 'BYE']);
    caller.answerBye();
    await layer.clock.advance(1_000);
    expect(layer.events.ended(CALL)).toMatchObject([{ ending: { endReason: 'media_timeout' } }]);
  });

  it('have the media timeout of the trunk that the far one is called by', async () => {
    layer.directory.outbound = { ...TRUNK, mediaTimeoutSeconds: 77 };
    await join();
    expect(other().options.mediaTimeoutMs).toBe(77_000);
    other().delegate.onMediaTimeout?.();
    await settle();
    expect(caller.sent.at(-1)).toBe('BYE');
  });

  it('pass keys that come by INFO, as telephone-events, and not those that come both ways twice', async () => {
    await join();
    caller.delegate.onDtmf?.('5');
    await layer.clock.advance(1_000);
    expect(other().digits).toEqual(['5']);
    far().delegate.onDtmf?.('7');
    await layer.clock.advance(1_000);
    expect(near().digits).toEqual(['7']);
    // By INFO first, then by the event that the RTP thread passes.
    caller.delegate.onDtmf?.('8');
    near().delegate.onDtmf?.('8', 100);
    await layer.clock.advance(1_000);
    // And in the other order.
    near().delegate.onDtmf?.('9', 100);
    caller.delegate.onDtmf?.('9');
    await layer.clock.advance(1_000);
    expect(other().digits).toEqual(['5']);
  });

  it('pass keys by INFO to a peer without telephone-event, and at once from one', async () => {
    await join(NO_EVENTS);
    near().delegate.onDtmf?.('1', 100);
    caller.delegate.onDtmf?.('2');
    await layer.clock.advance(1_000);
    expect(far().infos.map((body) => /Signal=(.)/.exec(body)?.[1])).toEqual(['1', '2']);
    far().delegate.onDtmf?.('3');
    expect(near().digits).toEqual(['3']);
    expect(other().digits).toEqual([]);
  });

  it('press nothing for a peer that has put us on hold, and none once they are over', async () => {
    await join();
    far().delegate.onReoffer?.(HOLDING);
    caller.delegate.onDtmf?.('5');
    await layer.clock.advance(1_000);
    caller.delegate.onDtmf?.('6');
    caller.peerBye();
    await layer.clock.advance(1_000);
    expect(other().digits).toEqual([]);
  });
});
