import fc from 'fast-check';
import { OwnNumbers } from '../../../../store/routing/own-numbers';

function numbers(...phoneNumbers: readonly string[]): OwnNumbers {
  const own = new OwnNumbers();
  for (const phoneNumber of phoneNumbers) own.verify(phoneNumber, null);
  return own;
}

const US = '+15551234567';
const GB = '+442079460000';

describe('a number of ours is found by', () => {
  test.each([
    ['E.164', US, '+15551234567', null],
    ['separators of a PBX', US, '+1 (555) 123-4567', null],
    ['the trunk prefix in brackets', GB, '+44 (0)20 7946 0000', null],
    ['no plus sign', US, '15551234567', 'without_plus'],
    ['parameters after it', US, '15551234567;npdi;rn=+12025550100', 'without_plus'],
    ['00', US, '0015551234567', 'international_prefix'],
    ['011', GB, '011442079460000', 'international_prefix'],
    ['0011', GB, '0011442079460000', 'international_prefix'],
    ['national form without a prefix', US, '5551234567', 'national'],
    ['national form with 0', GB, '02079460000', 'national'],
    ['national form whose 0 belongs to it', '+390612345678', '0612345678', 'national'],
    ['national form with 8', '+79161234567', '89161234567', 'national'],
    ['national form with 06', '+3611234567', '0611234567', 'national'],
    ['national form that begins as 011 does', '+441134960000', '01134960000', 'national'],
    ['a mobile number that is dialled otherwise at home', '+5491112345678', '0111512345678', 'national'],
  ])('%s', (_, phoneNumber, dialed, spelling) => {
    const read = numbers(phoneNumber).dialed(dialed);
    expect(read).toMatchObject({ recorded: phoneNumber, own: { phoneNumber, verified: true }, spelling });
  });
});

describe('no number of ours is', () => {
  test.each([
    ['another number', US, '+15551234568'],
    ['a part of it', US, '1234567'],
    ['its last digits, as an extension', US, '4567'],
    ['the same digits in another country', GB, '+12079460000'],
    ['its digits behind others', US, '99915551234567'],
    ['a name', US, 'alice'],
    ['an emergency number', US, '911'],
  ])('%s', (_, phoneNumber, dialed) => {
    expect(numbers(phoneNumber).dialed(dialed)).toMatchObject({ own: null, ambiguous: false });
  });

  test.each(['', ' ', ';phone-context=+1', '\u0000', '1555\u00001234567', 'x'.repeat(200)])('%j', (dialed) => {
    expect(numbers(US).dialed(dialed)?.own ?? null).toBeNull();
  });
});

test('a national number of two of our countries is that of its context, else none', () => {
  const own = numbers('+12079460000', GB);
  expect(own.dialed('2079460000')).toEqual({ own: null, spelling: null, ambiguous: true, recorded: '2079460000' });
  expect(own.dialed('2079460000;phone-context=+44')).toMatchObject({ recorded: GB, ambiguous: false });
  // The prefix is of one of them alone.
  expect(own.dialed('02079460000')).toMatchObject({ recorded: GB });
});

test('a number that is written out is not looked for as a national one', () => {
  // +49 30 …, and the same digits as a number of Britain.
  expect(numbers('+4930123456', '+444930123456').dialed('4930123456')).toMatchObject({ recorded: '+4930123456' });
});

describe('a number that is not ours, and a caller', () => {
  test.each([
    // of the country of all our numbers
    [US, '12025550123', '+12025550123'],
    [US, '2025550123', '+12025550123'],
    [GB, '02079460123', '+442079460123'],
    [GB, '00442079460123', '+442079460123'],
    // abroad
    [US, '442079460123', '+442079460123'],
    [US, '011442079460123', '+442079460123'],
    [GB, '0033123456789', '+33123456789'],
    [US, '+44 (0)20 7946 0123', '+442079460123'],
    // what nobody can tell
    [US, '5550123', '5550123'],
    [US, '999999999999999', '999999999999999'],
    [US, '(4711)', '4711'],
    [US, '#31#', '#31#'],
  ])('with %s: %s is %s', (phoneNumber, user, recorded) => {
    const own = numbers(phoneNumber);
    expect(own.dialed(user)?.recorded).toBe(recorded);
    expect(own.caller(user, phoneNumber)).toBe(recorded);
  });

  test('stays as received where our numbers are of several countries, unless one of them was called', () => {
    const own = numbers(US, GB);
    expect(own.dialed('02079460123')?.recorded).toBe('02079460123');
    expect(own.caller('02079460123', GB)).toBe('+442079460123');
    expect(own.caller('02079460123', '+33123456789')).toBe('02079460123');
    expect(new OwnNumbers().caller('2025550123', 'alice')).toBe('2025550123');
  });
});

const someNumber = fc
  .tuple(
    fc.constantFrom('1202', '4420', '4930', '336', '7916', '5411', '39061'),
    fc.integer({ min: 0, max: 99_999_999 }),
  )
  .map(
    ([prefix, rest]) =>
      `+${prefix}${String(rest)
        .padStart(8, '0')
        .slice(prefix === '1202' ? 1 : 0)}`,
  );

test('however the numbers came and went, what is found is what is there', () => {
  const change = fc.tuple(
    fc.constantFrom('verify', 'unverify', 'put', 'take'),
    fc.constantFrom('+12025550100', '+12025550101', '+442079460000', '+4930123456'),
  );
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const own = new OwnNumbers();
      const verified = new Set<string>();
      const onTrunk = new Set<string>();
      for (const [what, number] of changes) {
        if (what === 'verify') own.verify(number, 'agent');
        if (what === 'unverify') own.unverify(number);
        if (what === 'put') own.putOnTrunk([number]);
        if (what === 'take') own.takeOffTrunk([number]);
        if (what === 'verify') verified.add(number);
        if (what === 'unverify') verified.delete(number);
        if (what === 'put') onTrunk.add(number);
        if (what === 'take') onTrunk.delete(number);
      }
      for (const number of ['+12025550100', '+12025550101', '+442079460000', '+4930123456']) {
        const found = own.dialed(number.slice(1))?.own ?? null;
        if (!verified.has(number) && !onTrunk.has(number)) expect(found).toBeNull();
        else expect(found).toMatchObject({ verified: verified.has(number), onTrunk: onTrunk.has(number) });
      }
      const all = new Set([...verified, ...onTrunk]);
      if (all.size === 1 && all.has('+442079460000')) expect(own.caller('02079460123', 'x')).toBe('+442079460123');
      if (all.size === 0) expect(own.caller('02079460123', 'x')).toBe('02079460123');
    }),
  );
});

test('every number is found by its digits, with every international prefix and never throws for others', () => {
  fc.assert(
    fc.property(fc.uniqueArray(someNumber, { minLength: 1, maxLength: 20 }), fc.string(), (all, anything) => {
      const own = numbers(...all);
      for (const number of all) {
        const digits = number.slice(1);
        for (const dialed of [number, digits, `00${digits}`, `011${digits}`]) {
          const read = own.dialed(dialed);
          // The same digits may be another of our numbers without its plus sign.
          if (!all.includes(`+${dialed}`)) expect(read).toMatchObject({ recorded: number });
        }
      }
      expect(() => own.dialed(anything)).not.toThrow();
      expect(() => own.caller(anything, anything)).not.toThrow();
    }),
  );
});
