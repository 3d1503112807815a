import { getCountries, getExampleNumber } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import { AREA_CODE_TABLE } from '../../../../store/campaigns/area-code-table';
import { NUMBER_ZONE_TABLE } from '../../../../store/campaigns/number-zone-table';
import { clockZoneOf, numberZones } from '../../../../store/campaigns/number-zones';
import { isTimeZone } from '../../../../store/campaigns/zone-clock';

const ask = (e164: string, contactTimeZone: string | null = null, defaultTimeZone: string | null = null) =>
  numberZones({ e164, contactTimeZone, defaultTimeZone });

const told = (zones: string[], region: string | null = null) => ({ known: true, zones, from: 'number', region });

describe('numbers of one zone', () => {
  test.each([
    ['+12125550123', ['America/New_York'], 'US-NY'],
    ['+13055550123', ['America/New_York'], 'US-FL'],
    ['+14155550123', ['America/Los_Angeles'], 'US-CA'],
    ['+16025550123', ['America/Phoenix'], 'US-AZ'],
    ['+18085550123', ['Pacific/Honolulu'], 'US-HI'],
    ['+17875550123', ['America/Puerto_Rico'], 'US-PR'],
    ['+14165550123', ['America/Toronto'], 'CA-ON'],
    ['+13065550123', ['America/Regina'], 'CA-SK'],
    ['+18765550123', ['America/Jamaica'], null],
    ['+493012345678', ['Europe/Berlin'], null],
    ['+4915112345678', ['Europe/Berlin'], null],
    ['+33612345678', ['Europe/Paris'], null],
    ['+97714123456', ['Asia/Katmandu'], null],
    ['+861065529988', ['Asia/Shanghai'], null],
    ['+8613912345678', ['Asia/Shanghai'], null],
    ['+5511912345678', ['America/Sao_Paulo'], null],
  ])('%s', (e164, zones, region) => {
    expect(ask(e164)).toEqual(told(zones, region));
  });
});

describe('numbers of several zones: all of them', () => {
  test.each([
    ['+12085550123', ['America/Boise', 'America/Denver', 'America/Los_Angeles'], 'US-ID'],
    ['+18505550123', ['America/Chicago', 'America/New_York'], 'US-FL'],
    ['+17095550123', ['America/Halifax', 'America/St_Johns'], 'CA-NL'],
    ['+19285550123', ['America/Denver', 'America/Phoenix'], 'US-AZ'],
    ['+61892000000', ['Australia/Adelaide', 'Australia/Perth'], null],
    // Mobiles without area codes, in countries whose clocks are near each other.
    ['+34612345678', ['Atlantic/Canary', 'Europe/Madrid'], null],
    ['+351912345678', ['Atlantic/Azores', 'Europe/Lisbon'], null],
    ['+64211234567', ['Pacific/Auckland', 'Pacific/Chatham'], null],
    ['+447400123456', ['Europe/Guernsey', 'Europe/Isle_of_Man', 'Europe/Jersey', 'Europe/London'], null],
  ])('%s', (e164, zones, region) => {
    expect(ask(e164)).toEqual(told(zones, region));
  });
});

describe('numbers that need a zone of the contact', () => {
  test.each([
    ['+18005550123', 'toll_free'],
    ['+18885550123', 'toll_free'],
    ['+448001234567', 'toll_free'],
    ['+80012345678', 'toll_free'],
    ['+19005550123', 'premium'],
    ['+49900123456', 'premium'],
    ['+448712345678', 'premium'],
    ['+15005550123', 'not_geographic'],
    ['+447012345678', 'not_geographic'],
    ['+61412345678', 'mobile_without_geography'],
    ['+79161234567', 'mobile_without_geography'],
    ['+15555550123', 'unknown'],
    ['+17105550123', 'unknown'],
    ['+881612345678', 'unknown'],
    ['+4980012', 'unknown'],
    ['+99912345678', 'unknown'],
    ['+1', 'unknown'],
    ['nonsense', 'unknown'],
  ])('%s: %s', (e164, need) => {
    expect(ask(e164)).toMatchObject({ known: false, need });
  });

  test('Kazakh mobiles are not Russian ones', () => {
    expect(ask('+77011234567')).toEqual(told(['Asia/Almaty', 'Asia/Aqtobe']));
  });
});

describe('who knows better', () => {
  test('the zone of the contact counts alone, the law of the number stays', () => {
    expect(ask('+13055550123', 'Europe/Berlin', 'Asia/Tokyo')).toEqual({
      known: true,
      zones: ['Europe/Berlin'],
      from: 'contact',
      region: 'US-FL',
    });
    expect(ask('+18005550123', 'America/Chicago')).toMatchObject({ known: true, zones: ['America/Chicago'] });
  });

  test('a zone that nobody knows is none', () => {
    expect(ask('+13055550123', 'Mars/Olympus')).toMatchObject({ from: 'number' });
    expect(ask('+18005550123', '+02:00', 'Europe/Berlin')).toMatchObject({ known: false, need: 'toll_free' });
    expect(ask('+61412345678', null, 'Mars/Olympus')).toMatchObject({ known: false });
  });

  test("the campaign's zone stands in for silent numbers, never for toll-free ones, and not against the number", () => {
    expect(ask('+61412345678', null, 'Australia/Perth')).toEqual({
      known: true,
      zones: ['Australia/Perth'],
      from: 'campaign',
      region: null,
    });
    expect(ask('+15555550123', null, 'America/Chicago')).toMatchObject({ known: true, from: 'campaign' });
    for (const e164 of ['+18005550123', '+19005550123', '+447012345678']) {
      expect(ask(e164, null, 'America/Chicago')).toMatchObject({ known: false });
    }
    expect(ask('+12125550123', null, 'Asia/Tokyo')).toEqual(told(['America/New_York'], 'US-NY'));
  });
});

describe('the tables', () => {
  test('each zone is one that this runtime knows', () => {
    const zones = Object.keys(NUMBER_ZONE_TABLE).flatMap((key) => key.split(' '));
    expect(zones.filter((zone) => !isTimeZone(zone))).toEqual([]);
  });

  test('each area code stands once, and has zones', () => {
    const codes = Object.values(AREA_CODE_TABLE).flatMap((text) => text.split(/\s+/).filter((code) => code !== ''));
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.filter((code) => !ask(`+1${code}5550123`).known)).toEqual([]);
  });

  test('each prefix stands once', () => {
    const prefixes = Object.values(NUMBER_ZONE_TABLE).flatMap((text) =>
      text.split(/\s+/).filter((word) => word !== ''),
    );
    expect(prefixes.every((prefix) => /^\d+$/.test(prefix))).toBe(true);
    expect(new Set(prefixes).size).toBe(prefixes.length);
  });

  test('the mobiles of almost every country tell their zones', () => {
    const silent = getCountries().filter((country) => {
      const number = getExampleNumber(country, examples)?.number;
      return number === undefined || !ask(number).known;
    });
    expect(silent).toMatchInlineSnapshot(`
      [
        "AU",
        "CC",
        "CX",
        "RU",
      ]
    `);
  });
});

test('calls are counted by the clock of the first zone of a prefix, where it has any', () => {
  const numbers = ['+12125550123', '+12085550123', '+4915112345678', '+18005550123', '+8821612345678'];
  const zones = numbers.map((phoneNumber) => clockZoneOf({ phoneNumber, timeZone: null }));
  expect(zones).toEqual(['America/New_York', expect.any(String), 'Europe/Berlin', null, null]);
  for (const [n, e164] of numbers.entries()) {
    const known = ask(e164);
    if (known.known) expect(known.zones).toContain(zones[n]);
  }
});
