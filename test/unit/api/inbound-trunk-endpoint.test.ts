import { LiveNodes } from '../../../api/live-nodes';
import type { LiveNode } from '../../../api/live-nodes';
import { InboundTrunkEndpoint } from '../../../api/inbound-trunk-endpoint';

const node = (nodeId: string, sipAddress: string | null): LiveNode => ({ nodeId, sipAddress, info: {} });
const own = { hosts: ['192.0.2.1'], port: 5080, publicHost: null };

function endpointBeside(...nodes: LiveNode[]): InboundTrunkEndpoint {
  return new InboundTrunkEndpoint(own, new LiveNodes({ find: () => Promise.resolve(nodes) }));
}

describe('InboundTrunkEndpoint', () => {
  it('is what the media node says, which may run on another host', async () => {
    expect(await endpointBeside(node('a', 'media.example.com')).current()).toBe('media.example.com');
  });

  it('is the first of several nodes, one without an address passed over', async () => {
    const nodes = [node('a', null), node('b', '198.51.100.2:5070'), node('c', '198.51.100.3')];
    expect(await endpointBeside(...nodes).current()).toBe('198.51.100.2:5070');
  });

  it("follows the API's own environment while no node lives", async () => {
    expect(await endpointBeside().current()).toBe('192.0.2.1:5080');
  });

  it("is the public host of the API's environment before all else, without a look at the store", async () => {
    const nodes = new LiveNodes({ find: () => Promise.reject(new Error('asked')) });
    expect(await new InboundTrunkEndpoint({ ...own, publicHost: 'sip.example.com' }, nodes).current()).toBe(
      'sip.example.com:5080',
    );
  });
});
