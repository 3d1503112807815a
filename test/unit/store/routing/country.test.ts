import { countryOf } from '../../../../store/routing/country';

describe('countryOf', () => {
  it.each([
    ['+15551234567', 'US'],
    ['+14165550123', 'CA'],
    ['+4930123456', 'DE'],
    ['+442079460000', 'GB'],
    ['+79991234567', 'RU'],
    ['+3580000000', 'FI'],
    ['+8821612345678', null],
    ['nonsense', null],
  ])('finds %s in %s', (number, country) => {
    expect(countryOf(number)).toBe(country);
  });
});
