/** Keys of ours by INFO: where the trunk says so, and where there is no telephone-event. */
import type { CommandResult } from '../../../../contract/commands';
import type { DtmfMode } from '../../../../contract/directory';
import { BOOT_ID, CallLayer, DIAL } from '../../../fakes/call-layer';
import { settle } from '../../../fakes/fake-clock';
import { TRUNK } from '../../../fakes/fake-directory';
import { FakeInboundDialog, PHONE_SDP } from '../../../fakes/fake-sip';

const CALL = 'call-sip-1';
const NO_EVENTS = PHONE_SDP.replace('RTP/AVP 0 101', 'RTP/AVP 0').replace(/a=rtpmap:101.*\r\n/, '');

describe('keys that we press', () => {
  let layer: CallLayer;
  let dialog: FakeInboundDialog;
  let commands = 0;

  async function answered(dtmfMode: DtmfMode | undefined, offer = PHONE_SDP): Promise<void> {
    layer = new CallLayer();
    layer.directory.trunk = {
      id: 'trunk-in',
      orgId: 'org-1',
      username: 'pbx',
      password: 'p',
      phoneNumbers: [],
      mediaTimeoutSeconds: 60,
      ...(dtmfMode === undefined ? {} : { dtmfMode }),
    };
    dialog = await layer.answered(new FakeInboundDialog({ offer }));
  }

  const tell = async (control: Parameters<CallLayer['control']['control']>[0]['control']): Promise<CommandResult> => {
    const taken = await layer.control.control({ callId: CALL, commandId: `c-${++commands}`, bootId: BOOT_ID, control });
    await settle();
    return taken;
  };
  const press = (digits: string): Promise<CommandResult> => tell({ type: 'dtmf', digits });
  const effects = (): object[] =>
    layer.events.ofCall(CALL).flatMap((event) => (event.type === 'command' ? [event] : []));
  const signals = (): (string | undefined)[] => dialog.infos.map((body) => /^Signal=(.)\r\n/.exec(body)?.[1]);

  it.each([
    ['auto', PHONE_SDP, 'rfc4733'],
    ['auto', NO_EVENTS, 'info'],
    [undefined, NO_EVENTS, 'info'],
    ['info', PHONE_SDP, 'info'],
    ['info', NO_EVENTS, 'info'],
    ['rfc4733', PHONE_SDP, 'rfc4733'],
    ['rfc4733', NO_EVENTS, null],
  ] as const)('by dtmf_mode %s', async (mode, offer, way) => {
    await answered(mode, offer);
    const taken = await press('5');
    expect(taken).toEqual(way === null ? { ok: false, code: 'no_telephone_event' } : { ok: true });
    expect([layer.rtp.last.digits, signals()]).toEqual([way === 'rfc4733' ? ['5'] : [], way === 'info' ? ['5'] : []]);
  });

  it('follow each other in their time, each once the one before was taken, and are done with the last', async () => {
    await answered('info');
    await press('1w#');
    await press('2');
    expect(dialog.infos).toEqual(['Signal=1\r\nDuration=100\r\n']);
    await layer.clock.advance(180);
    await settle();
    expect(signals()).toEqual(['1']);
    await layer.clock.advance(500);
    await settle();
    expect(signals()).toEqual(['1', '#']);
    expect(effects()).toEqual([]);
    await layer.clock.advance(180);
    await settle();
    expect(signals()).toEqual(['1', '#', '2']);
    await layer.clock.advance(180);
    await settle();
    expect(effects()).toMatchObject([{ outcome: 'done' }, { outcome: 'done' }]);
  });

  it('that are not taken are told of, and the rest of them not pressed', async () => {
    await answered('info');
    dialog.takesInfo = false;
    await press('123');
    expect(signals()).toEqual(['1']);
    expect(effects()).toMatchObject([{ verb: 'dtmf', outcome: 'failed' }]);
  });

  it('go to the far end as its trunk says, when the caller has pressed them', async () => {
    await answered(undefined);
    layer.directory.outbound = { ...TRUNK, dtmfMode: 'info' };
    const leg = { legId: 'far', name: null, trunkId: TRUNK.id, ringTimeoutSeconds: 20 };
    const identity = { sessionId: null, agentId: null, contactId: null };
    await tell({ type: 'dialLeg', leg: { ...leg, ...identity, target: { type: 'phone', number: '+15557770000' } } });
    layer.endpoint.last.accept();
    await settle();
    const [own, far] = layer.rtp.sessions;
    // The RTP thread presses none of them.
    expect([own?.remotes.at(-1)?.relayKeys, far?.remotes.at(-1)?.relayKeys]).toEqual([undefined, false]);
    own?.delegate.onDtmf?.('7', 100);
    await settle();
    expect(layer.endpoint.last.infos).toEqual(['Signal=7\r\nDuration=100\r\n']);
    // The other way the RTP thread does.
    far?.delegate.onDtmf?.('8', 100);
    await settle();
    expect([dialog.infos, own?.digits]).toEqual([[], []]);
  });

  it('and those of a call that we place', async () => {
    layer = new CallLayer();
    layer.directory.outbound = { ...TRUNK, dtmfMode: 'info' };
    await layer.dial();
    const { last } = layer.endpoint;
    last.accept();
    await settle();
    const control = { type: 'dtmf', digits: '9' } as const;
    await layer.control.control({ callId: DIAL.callId, commandId: 'c', bootId: BOOT_ID, control });
    await settle();
    expect(last.infos).toEqual(['Signal=9\r\nDuration=100\r\n']);
  });
});
