import type { SipBinding } from '../../../contract/registration';
import { reachableFrom } from '../../../media-node/registered-contacts';
import { BINDING } from '../../fakes/media/sip/registers';

const found = (held: boolean, more: Partial<SipBinding>) => ({ binding: { ...BINDING, ...more }, held });

describe('reachableFrom', () => {
  it('is nobody without a binding', () => {
    expect(reachableFrom('here', [])).toEqual({ kind: 'contacts', contacts: [] });
  });

  it('calls by q, and the newest first', () => {
    const bindings = [
      found(true, { id: 'old', nodeId: 'here', refreshedAtMs: 1 }),
      found(true, { id: 'new', nodeId: 'here', refreshedAtMs: 2 }),
      found(true, { id: 'preferred', nodeId: 'here', q: 1, refreshedAtMs: 0 }),
    ].map((one) => (one.binding.id === 'preferred' ? one : { ...one, binding: { ...one.binding, q: 0.5 } }));
    const reachable = reachableFrom('here', bindings);
    expect(reachable.kind === 'contacts' && reachable.contacts.map(({ id }) => id)).toEqual([
      'preferred',
      'new',
      'old',
    ]);
  });

  it('leaves the dial to the node that holds the best one', () => {
    const bindings = [
      found(true, { nodeId: 'here', refreshedAtMs: 1 }),
      found(true, { nodeId: 'there', refreshedAtMs: 2 }),
    ];
    expect(reachableFrom('here', bindings)).toEqual({ kind: 'elsewhere', nodeId: 'there' });
    expect(reachableFrom('there', bindings)).toMatchObject({ kind: 'contacts', contacts: [{ nodeId: 'there' }] });
  });

  it('passes over holders that did not take the dial, as long as there are others', () => {
    const bindings = [
      found(true, { id: 'best', nodeId: 'there', refreshedAtMs: 3 }),
      found(true, { id: 'next', nodeId: 'yonder', refreshedAtMs: 2 }),
      found(true, { id: 'own', nodeId: 'here', refreshedAtMs: 1 }),
    ];
    expect(reachableFrom('here', bindings, ['there'])).toEqual({ kind: 'elsewhere', nodeId: 'yonder' });
    expect(reachableFrom('yonder', bindings, ['there'])).toMatchObject({
      kind: 'contacts',
      contacts: [{ id: 'next' }],
    });
    expect(reachableFrom('here', bindings, ['there', 'yonder'])).toMatchObject({
      kind: 'contacts',
      contacts: [{ id: 'own' }],
    });
    expect(reachableFrom('here', bindings.slice(0, 2), ['there', 'yonder'])).toEqual({
      kind: 'elsewhere',
      nodeId: 'there',
    });
    // It has room again.
    expect(reachableFrom('there', bindings, ['there'])).toMatchObject({ kind: 'contacts', contacts: [{ id: 'best' }] });
  });

  it('tries what a dead node has held', () => {
    const bindings = [found(false, { id: 'left', nodeId: 'dead' })];
    expect(reachableFrom('here', bindings)).toMatchObject({ kind: 'contacts', contacts: [{ id: 'left' }] });
  });
});
