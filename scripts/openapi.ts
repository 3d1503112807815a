/** `npm run openapi`: writes `openapi.json` from the declared routes; no server is needed. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { declaredOpenApi } from '../api/declared-openapi';

const target = resolve(process.argv[2] ?? 'openapi.json');
writeFileSync(target, `${JSON.stringify(declaredOpenApi(), null, 2)}\n`);
console.log(`wrote ${target}`);
