import { NotRegisteredError } from '../../../../media/sip/invite';
import { CallLayer } from '../../../fakes/call-layer';
import { settle } from '../../../fakes/fake-clock';
import { BINDING } from '../../../fakes/media/sip/registers';

describe('a dial to our own endpoint', () => {
  let layer: CallLayer;

  beforeEach(() => {
    layer = new CallLayer();
  });

  it('is an INVITE to who has registered, for the called number', async () => {
    layer.directory.registered = { kind: 'contacts', contacts: [BINDING] };
    expect(await layer.dial()).toMatchObject({ sent: true });
    expect(layer.endpoint.last.options).toMatchObject({
      contacts: [BINDING],
      target: { user: '+15557654321', host: 'carrier.example' },
    });
  });

  it('belongs to the node that holds the flow', async () => {
    layer.directory.registered = { kind: 'elsewhere', nodeId: 'node-2' };
    expect(await layer.dial()).toEqual({ sent: false, code: 'held_elsewhere', holder: 'node-2' });
    expect(layer.registry.size).toBe(0);
    layer.directory.registered = { kind: 'contacts', contacts: [BINDING] };
    expect(await layer.dial({ attemptId: 'attempt-2' })).toMatchObject({ sent: true });
  });

  it('is refused while it cannot be told who has registered', async () => {
    layer.directory.registered = { kind: 'unknown' };
    expect(await layer.dial()).toMatchObject({ sent: false, code: 'store_unavailable' });
  });

  it('ends with 480 and the reason where nobody has', async () => {
    layer.directory.registered = { kind: 'contacts', contacts: [] };
    layer.endpoint.failure = new NotRegisteredError();
    expect(await layer.dial()).toMatchObject({ sent: false, code: 'ended' });
    await settle();
    expect(layer.events.ended('call-out')).toMatchObject([
      {
        ending: {
          disposition: 'trunk_unreachable',
          endedBy: 'system',
          sip: { finalStatus: 480, reason: expect.stringMatching(/^not_registered: /) },
        },
      },
    ]);
  });
});
