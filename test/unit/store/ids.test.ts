import fc from 'fast-check';
import { attemptIdOf, inboundCallId, isUuid, keyedCallId, uuidV7, uuidV8 } from '../../../store/ids';

const part = fc.string({ unit: 'binary', maxLength: 12 });

describe('uuidV7', () => {
  it('carries its time, version 7 and the RFC variant', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 47 }), (now) => {
        const id = uuidV7(now);
        expect(isUuid(id)).toBe(true);
        expect(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toBe(now);
        expect(id[14]).toBe('7');
        expect('89ab').toContain(id[19]);
      }),
    );
  });

  it('sorts by time and does not repeat within a millisecond', () => {
    expect(uuidV7(1000) < uuidV7(1001)).toBe(true);
    expect(new Set(Array.from({ length: 1000 }, () => uuidV7(5))).size).toBe(1000);
  });
});

describe('uuidV8', () => {
  it('is version 8 and the same for the same parts', () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        const id = uuidV8(...parts);
        expect(isUuid(id)).toBe(true);
        expect(id[14]).toBe('8');
        expect('89ab').toContain(id[19]);
        expect(uuidV8(...parts)).toBe(id);
      }),
    );
  });

  it('differs when the same text is cut into other parts', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), fc.array(part, { maxLength: 4 }), (a, b) => {
        // Lone surrogates all become one character in UTF-8.
        fc.pre(JSON.stringify(a.map((t) => Buffer.from(t))) !== JSON.stringify(b.map((t) => Buffer.from(t))));
        expect(uuidV8(...a)).not.toBe(uuidV8(...b));
      }),
    );
    expect(uuidV8('ab', 'c')).not.toBe(uuidV8('a', 'bc'));
  });
});

describe('derived ids', () => {
  it('keep their value for ever, as workflows and rows are found by them', () => {
    expect(inboundCallId('trunk', 'call@host', 'tag', 1)).toBe('f82ffd41-ab2b-8d81-ae81-b7f8db3c8cea');
    expect(keyedCallId('org', 'POST /phone/outbound-call', 'key', 1)).toBe('d6492def-a64b-86b6-9e07-16d883e51b24');
    expect(attemptIdOf('call', 1)).toBe('ccdc19ad-8f5e-8058-8016-0c77f555ba46');
  });

  it('change with every part of an INVITE and with the count of a key', () => {
    const ids = [
      inboundCallId('t', 'c', 'f', 1),
      inboundCallId('t', 'c', 'f', 2),
      inboundCallId('t', 'c', 'g', 1),
      inboundCallId('t', 'd', 'f', 1),
      inboundCallId('u', 'c', 'f', 1),
      keyedCallId('o', 'r', 'k', 1),
      keyedCallId('o', 'r', 'k', 2),
      keyedCallId('p', 'r', 'k', 1),
      attemptIdOf('c', 1),
      attemptIdOf('c', 2),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('isUuid', () => {
  it('takes UUIDs of any version and case and nothing else', () => {
    fc.assert(fc.property(fc.uuid(), (id) => isUuid(id) && isUuid(id.toUpperCase())));
    for (const text of ['', 'abc', `${uuidV7()} `, `${uuidV7()}\n`, uuidV7().replaceAll('-', '')]) {
      expect(isUuid(text)).toBe(false);
    }
  });
});
