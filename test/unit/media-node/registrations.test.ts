import pino from 'pino';

import type { InboundTrunkProfile } from '../../../contract/directory';
import { Registrations } from '../../../media-node/registrations';
import { TRUNK } from '../../fakes/fake-directory';
import { BINDING } from '../../fakes/media/sip/registers';

const INBOUND: InboundTrunkProfile = {
  id: 'inbound',
  orgId: TRUNK.orgId,
  username: 'trunk-1',
  password: 'secret',
  phoneNumbers: [],
  mediaTimeoutSeconds: 30,
};
const OWN = { ...TRUNK, host: 'sip.example.com', username: 'trunk-1' };

function setUp(repository: Partial<ConstructorParameters<typeof Registrations>[0]['repository']> = {}) {
  return new Registrations({
    nodeId: 'node-1',
    listening: { hosts: ['192.0.2.1'], port: 5060, publicHost: 'sip.example.com' },
    snapshot: { inboundTrunk: (username) => (username === INBOUND.username ? INBOUND : undefined) },
    repository: {
      update: () => Promise.resolve(true),
      found: () => Promise.resolve([{ binding: BINDING, held: true }]),
      isNodeAddress: (address) => Promise.resolve(address === 'node-2.example:5070'),
      ...repository,
    },
    logger: pino({ level: 'silent' }),
  });
}

describe('a trunk leads to who has registered', () => {
  it('with the host of our endpoint and the user of the same organisation’s inbound trunk', async () => {
    expect(await setUp().contacts(OWN)).toEqual({ kind: 'contacts', contacts: [BINDING] });
    expect(await setUp().contacts({ ...OWN, host: 'node-2.example', port: 5070 })).toMatchObject({ kind: 'contacts' });
  });

  it('and to somebody else in every other case', async () => {
    expect(await setUp().contacts({ ...OWN, host: 'sip.provider.com' })).toBeNull();
    expect(setUp().contacts({ ...OWN, username: 'another' })).toBeNull();
    expect(setUp().contacts({ ...OWN, orgId: 'another' })).toBeNull();
  });

  it('and it is told when that cannot be read', async () => {
    const found = (): Promise<never> => Promise.reject(new Error('away'));
    expect(await setUp({ found }).contacts(OWN)).toEqual({ kind: 'unknown' });
  });
});
