/** `npm run notices`: writes THIRD-PARTY-NOTICES.md from the lock file. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { PROJECT_ROOT } from './project-root';
import { thirdParties, thirdPartyNotices } from './third-party';
import type { LockFile } from './third-party';

const lock = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package-lock.json'), 'utf8')) as LockFile;
writeFileSync(join(PROJECT_ROOT, 'THIRD-PARTY-NOTICES.md'), thirdPartyNotices(thirdParties(lock)));
