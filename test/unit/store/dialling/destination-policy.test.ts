import { refuseDestination } from '../../../../store/dialling/destination-policy';
import { countryOf } from '../../../../store/routing/country';

const ask = (to: string, configuredCountries: string[], ownNumbers: string[]) =>
  refuseDestination({ to, configuredCountries, ownCountries: ownNumbers.map(countryOf) });

describe('refuseDestination', () => {
  it("allows the countries of the organisation's own numbers when none are configured", () => {
    expect(ask('+15559876543', [], ['+15551234567'])).toBeNull();
    expect(ask('+4930123456', [], ['+15551234567', '+4989123456'])).toBeNull();
    expect(ask('+4930123456', [], ['+15551234567'])).toEqual({ reason: 'country', country: 'DE' });
    expect(ask('+15559876543', [], [])).toEqual({ reason: 'country', country: 'US' });
    expect(ask('+99912345678', [], ['+99912345679'])).toMatchObject({ country: null });
  });

  it('allows exactly the configured countries otherwise', () => {
    expect(ask('+4930123456', ['DE'], ['+15551234567'])).toBeNull();
    expect(ask('+15559876543', ['DE'], ['+15551234567'])).toEqual({ reason: 'country', country: 'US' });
  });

  it('refuses premium and satellite numbers of any country', () => {
    expect(ask('+19005551234', ['US'], [])).toEqual({ reason: 'expensive', country: 'US' });
    expect(ask('+8821612345678', ['US'], [])).toMatchObject({ reason: 'expensive' });
  });
});
