import type { CallControl, CommandResult } from '../../../../../contract/commands';
import type { LegDial } from '../../../../../contract/transfers';
import { BOOT_ID, CallLayer } from '../../../../fakes/call-layer';
import { settle } from '../../../../fakes/fake-clock';
import { TRUNK } from '../../../../fakes/fake-directory';
import { FakeInboundDialog } from '../../../../fakes/fake-sip';

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

describe('a caller for whom somebody is asked', () => {
  let layer: CallLayer;
  let caller: FakeInboundDialog;
  let commands: number;

  beforeEach(async () => {
    layer = new CallLayer();
    commands = 0;
    caller = await layer.answered();
  });

  const tell = async (control: CallControl, commandId = `command-${++commands}`): Promise<CommandResult> => {
    const taken = await layer.control.control({ callId: CALL, commandId, bootId: BOOT_ID, control });
    await settle();
    return taken;
  };
  const consult = (more: Partial<LegDial> = {}, commandId?: string): Promise<CommandResult> =>
    tell({ type: 'consultLeg', leg: { ...DIAL, ...more } }, commandId);
  const far = () => layer.endpoint.last;
  const answered = async (): Promise<void> => {
    far().accept();
    await settle();
  };
  const events = (type: string): object[] =>
    layer.events.ofCall(CALL).flatMap((event) => (event.type === type ? [event] : []));
  const steps = (): unknown[] =>
    layer.events.ofCall(CALL).flatMap((event) => (event.type === 'consult' ? [[event.step, event.by]] : []));
  const agent = () => layer.agents[0]!;
  const asker = () => layer.agents[1]!;
  const callers = () => layer.rtp.sessions[0]!;
  const expectBack = (): void => {
    expect(callers()).toMatchObject({ background: null, listening: true, paused: false, connectedTo: null, closed: 0 });
    expect(agent().holds.at(-1)).toBe(false);
    expect(agent().said.at(-1)?.text).toMatch(/^I am sorry, Sales cannot take the call right now/);
    expect(layer.rtp.sessionCount).toBe(1);
    expect(asker().finished).toBe(1);
  };

  it('hears music until whoever was called has accepted, and then them', async () => {
    expect(await consult()).toEqual({ ok: true });
    expect(callers()).toMatchObject({ background: 'music', listening: false, paused: true });
    await answered();
    expect(callers()).toMatchObject({ background: 'music', listening: false, paused: true, connectedTo: null });
    expect(asker().persona).toMatchObject({
      consult: { briefing: expect.stringMatching(/with a call for Sales from 1 5 5/) },
    });
    expect(asker().started).toBe(1);
    expect(events('command')).toEqual([]);
    layer.rtp.last.delegate.onDtmf?.('1', 100);
    expect(asker().digits).toEqual(['1']);
    asker().delegate.onAsked?.();
    asker().delegate.onDecision?.(true, 'key');
    await settle();
    expect(callers()).toMatchObject({ background: null, connectedTo: layer.rtp.last });
    expect(events('command')).toMatchObject([{ verb: 'consultLeg', outcome: 'done' }]);
    expect(steps()).toEqual([
      ['answered', null],
      ['asked', null],
      ['accepted', 'key'],
    ]);
    expect([agent().finished, asker().finished]).toEqual([1, 1]);
    asker().delegate.onDecision?.(false, 'silence');
    expect(far().over).toBe(false);
  });

  it.each(['key', 'word', 'silence'] as const)('is back with the agent when they decline: by %s', async (by) => {
    await consult({ briefing: 'Bob is angry.' });
    await answered();
    expect(asker().persona.consult).toEqual({ briefing: 'Bob is angry.' });
    asker().delegate.onDecision?.(false, by);
    await settle();
    expect(far().sent).toEqual(['INVITE', 'BYE']);
    expect(events('command')).toMatchObject([{ outcome: 'failed', sipStatus: 200, legOutcome: 'declined' }]);
    expect(steps().at(-1)).toEqual(['declined', by]);
    expectBack();
    expect(await consult({ legId: 'leg-2' })).toEqual({ ok: true });
  });

  it('is back when they hang up, or put us on hold for good', async () => {
    await consult();
    await answered();
    far().peerBye();
    await settle();
    expect(steps().at(-1)).toEqual(['declined', 'hangup']);
    expectBack();
    await consult({ legId: 'leg-2' });
    await answered();
    await layer.clock.advance(140_000);
    await settle();
    expect(steps().at(-1)).toEqual(['declined', 'silence']);
    expect(far().sent).toEqual(['INVITE', 'BYE']);
  });

  it('is back when there is no voice to ask by', async () => {
    await consult();
    await answered();
    asker().delegate.onEnd('error');
    await settle();
    expect(events('command')).toMatchObject([{ outcome: 'failed', sipStatus: 200, legOutcome: 'failed' }]);
    expect(far().sent).toEqual(['INVITE', 'BYE']);
    layer.agentFault = () => {
      throw new Error('no agent');
    };
    await consult({ legId: 'leg-2' });
    await answered();
    expect(events('command').at(-1)).toMatchObject({ legOutcome: 'failed' });
    expect(far().sent).toEqual(['INVITE', 'BYE']);
    expect(layer.rtp.sessionCount).toBe(1);
  });

  it.each(['ringing', 'asked'])('leaves no leg and no talk behind when it hangs up: %s', async (when) => {
    await consult();
    if (when === 'asked') await answered();
    caller.peerBye();
    await settle();
    expect(far().sent.at(-1)).toBe(when === 'asked' ? 'BYE' : 'CANCEL');
    if (when === 'asked') expect(asker().finished).toBe(1);
    expect(layer.rtp.sessionCount).toBe(0);
    expect(events('command')).toEqual([]);
    expect(layer.events.ended(CALL)).toMatchObject([{ ending: { endReason: 'caller_hangup' } }]);
  });

  it('is given back by its workflow as long as nobody has accepted', async () => {
    await consult();
    await answered();
    await tell({ type: 'releaseLeg', legId: 'leg-1' });
    expect(far().sent).toEqual(['INVITE', 'BYE']);
    expect(events('command')).toMatchObject([
      { verb: 'consultLeg', outcome: 'failed', legOutcome: 'canceled' },
      { verb: 'releaseLeg', outcome: 'done' },
    ]);
    asker().delegate.onDecision?.(true, 'key');
    expect(callers().connectedTo).toBeNull();
  });

  it.each([
    ['who asks for privacy', { privacy: ['id'] }],
    ['whose From names nobody', { anonymous: true }],
  ])('%s is not named', async (_, asks) => {
    const hidden = await layer.answered(
      new FakeInboundDialog({
        sipCallId: 'sip-2',
        caller: { user: '+15557654321', displayName: 'Bob', anonymous: false, privacy: [], ...asks },
      }),
    );
    layer.directory.outbound = { ...TRUNK, passCallerId: true };
    const leg = { ...DIAL, legId: 'leg-2' };
    await layer.control.control({
      callId: 'call-sip-2',
      commandId: 'command-9',
      bootId: BOOT_ID,
      control: { type: 'consultLeg', leg },
    });
    await settle();
    await answered();
    expect(layer.agent.persona.consult?.briefing).toMatch(/from somebody who does not show a number\.$/);
    expect(JSON.stringify(far().options.headers)).not.toContain('5557654321');
    expect(hidden.over).toBe(false);
  });

  it('calls once, however often it is asked for', async () => {
    await consult({}, 'same');
    expect(await consult({}, 'same')).toEqual({ ok: true });
    expect(await consult({}, 'another')).toEqual({ ok: false, code: 'transferring' });
    expect(layer.endpoint.dialogs).toHaveLength(1);
  });
});
