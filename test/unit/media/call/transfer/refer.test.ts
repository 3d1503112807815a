import type { CommandResult } from '../../../../../contract/commands';
import type { LegDial } from '../../../../../contract/transfers';
import type { ReferOutcome } from '../../../../../media/sip/refer/sent-refer';
import { BOOT_ID, CallLayer } from '../../../../fakes/call-layer';
import { settle } from '../../../../fakes/fake-clock';
import { TRUNK } from '../../../../fakes/fake-directory';
import type { FakeInboundDialog } from '../../../../fakes/fake-sip';

const CALL = 'call-sip-1';
const LEG: LegDial = {
  legId: 'leg-1',
  target: { type: 'phone', number: '+15557770000' },
  name: 'Sales',
  trunkId: TRUNK.id,
  ringTimeoutSeconds: 20,
  sessionId: 'session-1',
  agentId: null,
  contactId: 'contact-1',
};
const final = (status: number): ReferOutcome => ({ kind: 'accepted', final: { status, reason: '' } });

describe('a caller whose phone system is asked to call somebody else', () => {
  let layer: CallLayer;
  let caller: FakeInboundDialog;
  let commands: number;

  beforeEach(async () => {
    layer = new CallLayer();
    commands = 0;
    caller = await layer.answered();
  });

  async function refer(fallback: boolean, more: Partial<LegDial> = {}): Promise<CommandResult> {
    const control = { type: 'refer', leg: { ...LEG, ...more }, fallback } as const;
    const taken = await layer.control.control({
      callId: CALL,
      commandId: `command-${++commands}`,
      bootId: BOOT_ID,
      control,
    });
    await settle();
    return taken;
  }

  async function comesTo(outcome: ReferOutcome): Promise<void> {
    caller.endRefer(outcome);
    await settle();
  }

  const effects = (): object[] =>
    layer.events.ofCall(CALL).flatMap((event) => (event.type === 'command' ? [event] : []));
  const callers = () => layer.rtp.sessions[0]!;
  const expectBack = (): void => {
    expect(callers()).toMatchObject({ background: null, listening: true, paused: false });
    expect(layer.agent.said.at(-1)?.text).toMatch(/^I am sorry, Sales .* You are back with me\.$/);
    expect(caller.over).toBe(false);
  };

  it('is asked with who refers, where to, and of whom the call is', async () => {
    await refer(false);
    expect(caller.refers[0]?.request).toEqual({
      referTo: 'sip:+15557770000@192.0.2.10:5070;user=phone',
      referredBy: 'sip:+15551234567@192.0.2.1',
      headers: [
        ['X-OPENCX-SESSION-ID', 'session-1'],
        ['X-OPENCX-CONTACT-ID', 'contact-1'],
      ],
    });
    expect(callers()).toMatchObject({ background: 'ringback', listening: false, paused: true });
    await comesTo({ kind: 'dialog_over' });
    await refer(false, { legId: 'leg-2', target: { type: 'sip', uri: 'sips:sales@pbx.example.com' } });
    expect(caller.refers).toHaveLength(1);
  });

  it('gets our BYE two seconds after it has got there, unless it is quicker', async () => {
    await refer(false);
    await comesTo(final(200));
    expect(effects()).toMatchObject([{ verb: 'refer', outcome: 'done' }]);
    await layer.clock.advance(1_999);
    expect(caller.sent).not.toContain('BYE');
    await layer.clock.advance(1);
    expect(caller.sent).toContain('BYE');
    caller.answerBye();
    await settle();
    expect(layer.events.ended(CALL)).toMatchObject([{ ending: { endReason: 'transferred', endedBy: 'agent' } }]);
  });

  it('hangs up by itself when it has got there', async () => {
    await refer(false);
    await comesTo(final(200));
    caller.peerBye();
    await layer.clock.advance(5_000);
    await settle();
    expect(caller.sent).not.toContain('BYE');
    expect(layer.events.ended(CALL)).toMatchObject([{ ending: { endReason: 'transferred', endedBy: 'caller' } }]);
  });

  it('has got there, we assume, when it accepts and hangs up; that is told before the end of the call', async () => {
    await refer(false);
    caller.endRefer({ kind: 'bye' });
    caller.peerBye();
    await layer.clock.advance(1_000);
    await settle();
    expect(effects()).toMatchObject([{ outcome: 'done', legOutcome: 'transferred_assumed' }]);
    expect(layer.events.ended(CALL)).toMatchObject([{ ending: { endReason: 'transferred', endedBy: 'caller' } }]);
  });

  it('has got there, we assume, though a REFER that was given up before comes to its end only now', async () => {
    await refer(false);
    const endFirst = caller.endRefer;
    await layer.control.control({
      callId: CALL,
      commandId: 'give-up',
      bootId: BOOT_ID,
      control: { type: 'releaseLeg', legId: LEG.legId },
    });
    await refer(false, { legId: 'leg-2' });
    endFirst(final(486));
    await settle();
    caller.peerBye();
    caller.endRefer({ kind: 'bye' });
    await layer.clock.advance(1_000);
    await settle();
    expect(effects()).toMatchObject([
      { verb: 'refer', outcome: 'failed', legOutcome: 'canceled' },
      { verb: 'releaseLeg', outcome: 'done' },
      { verb: 'refer', outcome: 'done', legOutcome: 'transferred_assumed' },
    ]);
    expect(layer.events.ended(CALL)).toMatchObject([{ ending: { endReason: 'transferred', endedBy: 'caller' } }]);
  });

  it('has hung up, where it had not accepted', async () => {
    await refer(false);
    caller.endRefer({ kind: 'dialog_over' });
    caller.peerBye();
    await layer.clock.advance(1_000);
    await settle();
    expect(effects()).toEqual([]);
    expect(layer.events.ended(CALL)).toMatchObject([{ ending: { endReason: 'caller_hangup' } }]);
  });

  it.each([
    ['busy', final(486), { sipStatus: 486, legOutcome: 'busy' }],
    ['declined', final(603), { sipStatus: 603, legOutcome: 'rejected' }],
    ['no final status told', { kind: 'accepted', final: null }, { sipStatus: null, legOutcome: 'unknown' }],
    ['an end without a status', { kind: 'terminated', reason: '' }, { sipStatus: null, legOutcome: 'unknown' }],
    ['silence', { kind: 'expired' }, { sipStatus: null, legOutcome: 'unknown' }],
    ['no answer', { kind: 'timeout' }, { sipStatus: null, legOutcome: 'unknown' }],
  ] as const)('is back with the agent, and nobody else is called: %s', async (_, outcome, effect) => {
    caller.peerCan.add('REFER');
    await refer(true);
    await comesTo(outcome);
    expect(effects()).toMatchObject([{ outcome: 'failed', ...effect }]);
    expectBack();
  });

  it.each([
    ['refused', { kind: 'refused', status: 405, reason: '' }],
    ['refused with 603', { kind: 'refused', status: 603, reason: '' }],
    ['not reached', final(503)],
    ['not sent', { kind: 'transport_error' }],
  ] as const)('hears on, when it was %s, what it is called for by us', async (_, outcome) => {
    caller.peerCan.add('REFER');
    await refer(true);
    await comesTo(outcome);
    expect(effects()).toMatchObject([{ outcome: 'failed', mayDial: true }]);
    expect(callers()).toMatchObject({ background: 'ringback', listening: false });
    const control = { type: 'dialLeg', leg: LEG } as const;
    await layer.control.control({ callId: CALL, commandId: 'dial', bootId: BOOT_ID, control });
    await settle();
    layer.endpoint.last.accept();
    await layer.clock.advance(60_000);
    expect(callers()).toMatchObject({ background: null, connectedTo: layer.rtp.last });
  });

  it('is back with the agent where nobody is called then', async () => {
    caller.peerCan.add('REFER');
    await refer(true);
    await comesTo({ kind: 'refused', status: 405, reason: '' });
    await layer.clock.advance(15_000);
    expectBack();
  });

  it('is not asked, where it is only to be asked if it says so', async () => {
    expect(await refer(true)).toEqual({ ok: false, code: 'no_refer' });
    expect(caller.refers).toEqual([]);
    expect(callers()).toMatchObject({ background: null, listening: true });
  });

  it('that is given back says no more of what comes of it', async () => {
    await refer(false);
    const control = { type: 'releaseLeg', legId: 'leg-1' } as const;
    await layer.control.control({ callId: CALL, commandId: 'release', bootId: BOOT_ID, control });
    await comesTo(final(200));
    expectBack();
    await layer.clock.advance(5_000);
    expect(caller.sent).not.toContain('BYE');
  });
});
