import type { CallEnding } from '../../../../contract/endings';
import { CallLayer } from '../../../fakes/call-layer';
import { settle } from '../../../fakes/fake-clock';
import { TRUNK } from '../../../fakes/fake-directory';
import { FakeInboundDialog } from '../../../fakes/fake-sip';

const INBOUND = 'call-sip-1';
const OUTBOUND = 'call-out';
const BY_API = { endReason: 'api_hangup', endedBy: 'api' };

describe('when a trunk is revoked', () => {
  let layer: CallLayer;

  beforeEach(() => {
    layer = new CallLayer();
  });

  function ending(callId: string): CallEnding {
    const ended = layer.events.ended(callId);
    expect(ended).toHaveLength(1);
    return ended[0]!.ending;
  }

  it('its answered calls get a BYE with a Reason, those of other trunks go on', async () => {
    const mine = await layer.answered();
    const { identity } = mine.invite;
    const invite = { sipCallId: 'sip-2', fromTag: 'f2', identity: { ...identity, trunkId: 'trunk-2' } };
    const other = await layer.answered(new FakeInboundDialog(invite));
    await layer.dial();
    layer.endpoint.last.accept();
    layer.control.trunkRevoked('trunk-1');
    await layer.clock.advance(1000);
    expect(mine.byeReason).toMatchObject({ protocol: 'Q.850', cause: 16 });
    expect(ending(INBOUND)).toMatchObject({ disposition: 'answered', ...BY_API });
    expect([other.over, layer.endpoint.last.over]).toEqual([false, false]);
    layer.control.trunkRevoked(TRUNK.id);
    await layer.clock.advance(1000);
    expect(layer.endpoint.last.byeReason).toMatchObject({ protocol: 'Q.850', cause: 16 });
    expect(ending(OUTBOUND)).toMatchObject({ disposition: 'answered', ...BY_API });
    expect(other.over).toBe(false);
    expect(layer.registry.size).toBe(1);
  });

  it('a call that rings is refused, a dial that rings is cancelled', async () => {
    layer.warmAtOnce = false;
    const dialog = layer.receive();
    await layer.dial();
    layer.endpoint.last.progress(180);
    layer.control.trunkRevoked('trunk-1');
    layer.control.trunkRevoked(TRUNK.id);
    expect(dialog.rejection?.status).toBe(480);
    expect(layer.endpoint.last.sent).toEqual(['INVITE', 'CANCEL']);
    layer.endpoint.last.refuse(487);
    await layer.clock.advance(1000);
    expect(ending(INBOUND)).toMatchObject({ disposition: 'canceled', ...BY_API });
    expect(ending(OUTBOUND)).toMatchObject({ disposition: 'canceled', ...BY_API });
    expect([layer.registry.size, layer.clock.armed]).toEqual([0, 0]);
  });

  it('a call whose workflow is just being started is refused, and its workflow hears of the end', async () => {
    let started: () => void = () => undefined;
    layer.directory.start = () =>
      new Promise((resolve) => (started = () => resolve({ ok: true, callId: INBOUND, sessionId: 's' })));
    const dialog = layer.receive();
    await settle();
    layer.control.trunkRevoked('trunk-1');
    expect(dialog.rejection?.status).toBe(480);
    started();
    await layer.clock.advance(1000);
    expect(ending(INBOUND)).toMatchObject({ disposition: 'canceled', ...BY_API });
    expect(layer.registry.size).toBe(0);
  });

  it('a dial that has not sent its INVITE does not send it', async () => {
    const sent = await layer.dial({}, async () => {
      layer.control.trunkRevoked(TRUNK.id);
      return true;
    });
    expect(sent).toMatchObject({ sent: false });
    expect(layer.endpoint.dialogs).toHaveLength(0);
    expect([layer.registry.size, layer.clock.armed]).toEqual([0, 0]);
  });
});
