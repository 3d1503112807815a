import { mediaNodeAttribute, readMediaNodeAttribute } from '../../../workflows/ids';

describe('the search attribute MediaNodeId', () => {
  it.each(['node-1', 'rack/1', ''])('of node "%s" is read as it was made', (nodeId) => {
    expect(readMediaNodeAttribute(mediaNodeAttribute(nodeId, 'boot'))).toEqual({ nodeId, bootId: 'boot' });
  });

  it.each([undefined, null, 7, 'no-boot'])('is not read from %p', (value) => {
    expect(readMediaNodeAttribute(value)).toBeNull();
  });
});
