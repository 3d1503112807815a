import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../../scripts/project-root';
import { brokenLinks, linkedFiles } from '../../support/markdown-links';

const FIXTURES = join(__dirname, '../../fixtures/docs');

const pages = readdirSync(join(PROJECT_ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => join('docs', name));

test('every relative link of the documentation leads somewhere', () => {
  expect(pages.length).toBeGreaterThan(5);
  expect(brokenLinks(PROJECT_ROOT, ['README.md', 'CONTRIBUTING.md', ...pages])).toEqual([]);
});

test('every page is linked from README.md or from the index of its folder', () => {
  const linked = linkedFiles(PROJECT_ROOT, ['README.md', ...pages.filter((page) => page.endsWith('README.md'))]);
  expect(pages.filter((page) => !linked.has(page))).toEqual([]);
});

test('what leads nowhere is found, and nothing else', () => {
  expect(brokenLinks(FIXTURES, ['one.md', 'folder/two.md'])).toEqual([
    'one.md: missing.md',
    'one.md: folder/two.md#no-such-heading',
    'one.md: #Wrong-Case',
    'one.md: ../histories',
    'one.md: reference-missing.md',
    'folder/two.md: one.md',
  ]);
});
