/** A transfer that the conversation wishes, at the call: reported once, carried out by its commands, or given up for good. */
import type { CallControl, CommandResult } from '../../../../../contract/commands';
import type { TransferWish } from '../../../../../contract/transfers';
import { BOOT_ID, CallLayer } from '../../../../fakes/call-layer';
import { settle } from '../../../../fakes/fake-clock';
import { TRUNK } from '../../../../fakes/fake-directory';

const CALL = 'call-sip-1';
const WISH: TransferWish = { by: 'agent', destinationId: 'd1' };
const DECIDED_WITHIN_MS = 4_000;

describe('a transfer that is wished in a call', () => {
  let layer: CallLayer;

  beforeEach(async () => {
    layer = new CallLayer();
    await layer.answered();
  });

  const wanted = (): readonly { readonly transferId: string }[] =>
    layer.events.ofCall(CALL).flatMap((event) => (event.type === 'transfer_wanted' ? [event] : []));
  const want = (wish = WISH): boolean => layer.agent.delegate.onTransfer(wish);
  const idOf = (n = -1): string => wanted().at(n)?.transferId ?? '';
  const tell = async (step: string, control: CallControl, transferId = idOf()): Promise<CommandResult> => {
    const commandId = `${transferId}:${step}`;
    const taken = await layer.control.control({ callId: CALL, commandId, bootId: BOOT_ID, control });
    await settle();
    return taken;
  };
  const dial = (transferId = idOf()): Promise<CommandResult> =>
    tell(
      'dial',
      {
        type: 'dialLeg',
        leg: {
          legId: transferId,
          target: { type: 'phone', number: '+15557770000' },
          name: 'Sales',
          trunkId: TRUNK.id,
          ringTimeoutSeconds: 20,
          sessionId: null,
          agentId: null,
          contactId: null,
        },
      },
      transferId,
    );

  it('is reported with an id of its own, one at a time', () => {
    expect(want()).toBe(true);
    expect(want()).toBe(false);
    expect(wanted()).toEqual([
      expect.objectContaining({ ...WISH, transferId: expect.stringMatching(/^[0-9a-f-]{36}$/) }),
    ]);
  });

  it('is carried out by the commands that bear its id', async () => {
    want();
    expect(await dial()).toEqual({ ok: true });
    expect(layer.endpoint.last.options.sipCallId).toBe(idOf());
    await layer.clock.advance(DECIDED_WITHIN_MS * 2);
    expect(layer.agent.refused).toEqual([]);
    expect(want()).toBe(false);
  });

  it('that is refused is told to the agent, which may wish again', async () => {
    want();
    await tell('refuse', { type: 'refuseTransfer', transferId: idOf(), code: 'no_trunk' });
    expect(layer.agent.refused).toMatchObject([{ by: 'agent' }]);
    expect(layer.agent.instructions.at(-1)).toContain('no trunk');
    expect(want()).toBe(true);
    expect(wanted()).toHaveLength(2);
  });

  it('that is decided too late is not carried out: the agent has said that it cannot', async () => {
    want();
    await layer.clock.advance(DECIDED_WITHIN_MS);
    expect(layer.agent.refused).toHaveLength(1);
    expect(await dial()).toEqual({ ok: false, code: 'withdrawn' });
    expect(layer.endpoint.dialogCount).toBe(0);
    await tell('refuse', { type: 'refuseTransfer', transferId: idOf(), code: 'no_trunk' });
    expect(layer.agent.refused).toHaveLength(1);
    // Another is none the worse for it.
    want();
    expect(await dial()).toEqual({ ok: true });
  });

  it('ends with the call', async () => {
    want();
    await layer.control.control({
      callId: CALL,
      commandId: 'hangup',
      bootId: BOOT_ID,
      control: { type: 'hangup', endReason: 'api_hangup', endedBy: 'api' },
    });
    await layer.clock.advance(DECIDED_WITHIN_MS * 2);
    expect(layer.agent.refused).toEqual([]);
  });
});
