import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
  readonly labels: readonly { readonly span: { readonly line: number } }[];
}

const ROOT = join(__dirname, '..', '..', '..');
const FIXTURES = join(ROOT, 'test', 'fixtures', 'lint');

/** `path:line rule`, sorted, of what the fixtures announce in their comments. */
function expectedFindings(): string[] {
  const files = readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  return files
    .flatMap((file) =>
      readFileSync(join(FIXTURES, file), 'utf8')
        .split('\n')
        .flatMap((line, index) => {
          const rules = /\/\/ expect: (.+)$/.exec(line)?.[1]?.split(' ') ?? [];
          return rules.map((rule) => `${file}:${index + 1} ${rule}`);
        }),
    )
    .sort();
}

/** What the linter finds in a copy of the fixtures that stands where the project's folders stand. */
function findings(folder: string): string[] {
  const output = lint(folder);
  const { diagnostics } = JSON.parse(output) as { diagnostics: Diagnostic[] };
  return diagnostics
    .map(({ code, filename, labels }) => {
      const file = relative(folder, join(folder, filename));
      return `${file}:${labels[0]?.span.line} ${/\(([\w-]+)\)/.exec(code)?.[1]}`;
    })
    .sort();
}

function lint(folder: string): string {
  const bin = join(ROOT, 'node_modules', '.bin');
  const oxlint = join(ROOT, 'node_modules', 'oxlint', 'bin', 'oxlint');
  // The type-aware rules are a program of their own, which is looked for on PATH.
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH']}` };
  const result = spawnSync(process.execPath, [oxlint, '--type-aware', '-f', 'json'], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  return result.stdout;
}

describe('import rules of the architecture', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-lint-'));
    cpSync(FIXTURES, folder, { recursive: true });
    cpSync(join(ROOT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('every violation is an error and everything allowed passes', () => {
    const expected = expectedFindings();
    expect(expected.length).toBeGreaterThan(30);
    expect(findings(folder)).toEqual(expected);
  });
});
