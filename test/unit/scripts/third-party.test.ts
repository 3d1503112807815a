import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { PROJECT_ROOT } from '../../../scripts/project-root';
import { ALLOWED_LICENSES, thirdParties, thirdPartyNotices } from '../../../scripts/third-party';
import type { LockFile, ThirdParty } from '../../../scripts/third-party';

const lock = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package-lock.json'), 'utf8')) as LockFile;
const unlisted = (parties: readonly ThirdParty[]): string[] =>
  parties.filter(({ license }) => !ALLOWED_LICENSES.has(license)).map(({ name }) => name);

describe('the licences of what runs with the product', () => {
  test('are all on the list', () => {
    const parties = thirdParties(lock);
    expect(parties.length).toBeGreaterThan(100);
    expect(unlisted(parties)).toEqual([]);
  });

  test('one that is not, or none at all, is noticed, nested too; tools of development do not count', () => {
    const packages = {
      '': { version: '1.0.0' },
      'node_modules/free': { version: '1.0.0', license: 'MIT' },
      'node_modules/free/node_modules/@a/copyleft': { version: '2.0.0', license: 'AGPL-3.0-only' },
      'node_modules/silent': { version: '3.0.0' },
      'node_modules/tool': { version: '4.0.0', license: 'GPL-3.0', dev: true },
    };
    expect(unlisted(thirdParties({ packages }))).toEqual(['@a/copyleft', 'silent']);
  });

  test('are told in the notices', () => {
    const notices = readFileSync(join(PROJECT_ROOT, 'THIRD-PARTY-NOTICES.md'), 'utf8');
    expect(notices).toBe(thirdPartyNotices(thirdParties(lock)));
    expect(notices).toContain('includes software developed by Carnegie Mellon University');
  });
});
