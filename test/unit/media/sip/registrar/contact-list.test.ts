import fc from 'fast-check';

import {
  contactList,
  MalformedRegisterError,
  pathOf,
  userAgentOf,
} from '../../../../../media/sip/registrar/contact-list';
import { registerRequest } from '../../../../fakes/media/sip/registers';

const list = (...lines: string[]) => contactList(registerRequest(...lines));

function contactsOf(...lines: string[]) {
  const found = list(...lines);
  if (found.kind !== 'contacts') throw new Error(`it asks for ${found.kind}`);
  return found.contacts;
}

describe('Contact of a REGISTER', () => {
  it('is missing where the list alone is asked for', () => {
    expect(list('Expires: 0')).toEqual({ kind: 'fetch' });
  });

  it('has the expiry of its own parameter, else of the header, else none', () => {
    const seconds = contactsOf('Contact: <sip:a@h>;expires=120, <sip:b@h>', 'm: sip:c@h;expires=0', 'Expires: 300').map(
      ({ expiresSeconds }) => expiresSeconds,
    );
    expect(seconds).toEqual([120, 300, 0]);
    expect(contactsOf('Contact: <sip:a@h>')[0]?.expiresSeconds).toBeNull();
  });

  it.each(['abc', '-1', '99999999999', '1.5', ''])('with the expiry "%s" is kept for an hour', (expires) => {
    expect(contactsOf(`Contact: <sip:a@h>;expires=${expires}`)[0]?.expiresSeconds).toBe(3600);
  });

  it.each([
    ['0.5', 0.5],
    ['0', 0],
    ['1.000', 1],
    ['0.1234', 1],
    ['7', 1],
    ['x', 1],
  ])('with q=%s has the preference %d', (q, expected) => {
    expect(contactsOf(`Contact: <sip:a@h>;q=${q}`)[0]?.q).toBe(expected);
  });

  it('is a wildcard alone and with Expires 0 only', () => {
    expect(list('Contact: *', 'Expires: 0')).toEqual({ kind: 'all' });
    for (const lines of [['Contact: *'], ['Contact: *', 'Expires: 60'], ['Contact: *, <sip:a@h>', 'Expires: 0']]) {
      expect(() => list(...lines)).toThrow(MalformedRegisterError);
    }
  });

  it('names a flow by instance and reg-id where outbound is supported', () => {
    const contact = 'Contact: <sip:a@h>;+sip.instance="<urn:uuid:1-2>";reg-id=2';
    const named = { instanceId: '<urn:uuid:1-2>' };
    expect(contactsOf(contact, 'Supported: path, Outbound')).toMatchObject([{ ...named, regId: 2 }]);
    expect(contactsOf(contact)).toMatchObject([{ ...named, regId: null }]);
    expect(contactsOf('Contact: <sip:a@h>;reg-id=2', 'Supported: outbound')).toMatchObject([{ regId: null }]);
  });

  it.each([
    '<sip:a@h',
    '<tel:+15551234567>',
    '<sips:a@h>',
    '<mailto:a@h>',
    '<sip:a@h?Route=%3Csip:evil%3E>',
    `<sip:${'a'.repeat(600)}@h>`,
    '<sip:a\0b@h>',
    '<sip:\xe4@h>',
    '<sip:a@>',
    '<>',
  ])('that is %j cannot be kept', (contact) => {
    expect(() => list(`Contact: ${contact}`)).toThrow(MalformedRegisterError);
  });
});

describe('Path of a REGISTER', () => {
  it('is kept in its order', () => {
    expect(pathOf(registerRequest('Path: <sip:p2.example;lr>, <sip:p1.example;lr;ob>'))).toEqual([
      '<sip:p2.example;lr>',
      '<sip:p1.example;lr;ob>',
    ]);
  });

  it.each(['sip:p1.example;lr', '<sip:p1 .example>', '"x" <sip:p>', '<sips:p1.example>', `<sip:${'p'.repeat(600)}>`])(
    'that is %j cannot be kept',
    (path) => {
      expect(() => pathOf(registerRequest(`Path: ${path}`))).toThrow(MalformedRegisterError);
    },
  );

  it('has no more proxies than a way has', () => {
    const path = `Path: ${Array<string>(9).fill('<sip:p;lr>').join(', ')}`;
    expect(() => pathOf(registerRequest(path))).toThrow('Too Many Path Values');
  });
});

it('takes a User-Agent without what a terminal or PostgreSQL takes ill', () => {
  expect(userAgentOf(registerRequest('User-Agent: FPBX\x1b[31m-16\0.0'))).toBe('FPBX [31m-16 .0');
  expect(userAgentOf(registerRequest(`User-Agent: ${'x'.repeat(500)}`))).toHaveLength(200);
  expect(userAgentOf(registerRequest())).toBeNull();
});

it('throws nothing else, and keeps nothing else than printable URIs, whatever is written', () => {
  const piece = fc.constantFrom(
    '<', '>', '"', ';', ',', '*', 'sip:', 'sips:', 'a@h', '@', ':5060', 'expires=', '0', '60', '=', 'q=0.5', '\\',
    '+sip.instance="<urn:uuid:1>"', 'reg-id=1', ';lr', '%00', '\0', '\xff', ' ', '[::1]', '?x=y',
  ); // prettier-ignore
  const value = fc.array(piece, { maxLength: 14 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(value, value, value, (contact, path, expires) => {
      const request = registerRequest(
        `Contact: ${contact}`,
        `Path: ${path}`,
        `Expires: ${expires}`,
        'Supported: outbound',
      );
      for (const read of [() => contactList(request), () => pathOf(request)]) {
        try {
          const found = read();
          const texts = Array.isArray(found) ? found : 'contacts' in found ? found.contacts.map(({ uri }) => uri) : [];
          for (const text of texts as string[]) expect(text).toMatch(/^[\x21-\x7e]{1,512}$/);
        } catch (error) {
          if (!(error instanceof MalformedRegisterError)) throw error;
        }
      }
    }),
    { numRuns: 3_000 },
  );
});
