/** The disk of `DATA_DIR` fills up under the running product: it says so where peers and operators look, and recovers. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { askOptions } from '../../support/live/options';
import { PhoneMedia } from '../../support/phone/media';
import { Phone } from '../../support/phone/phone';
import { Stack, waitFor } from '../../support/stack';

const SIZE_MB = 600;

/** A file system of its own; null where that takes rights that we do not have. */
function smallDisk(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MB}m`, 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return null;
  }
}

const disk = smallDisk();

afterAll(() => {
  if (disk === null) return;
  execFileSync('umount', [disk]);
  rmSync(disk, { recursive: true });
});

async function unready(url: string): Promise<unknown> {
  const answer = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(3_000) });
  return answer.status === 503 ? await answer.json() : undefined;
}

(disk === null ? it.skip : it)(
  'a full disk shows within 5 s, by name, and is over when there is room',
  async () => {
    const dataDir = join(disk!, 'data');
    mkdirSync(dataDir);
    const stack = await Stack.start({ dataDir });
    const media = new PhoneMedia();
    const phone = await Phone.open({ media, server: { address: stack.sipHost, port: stack.sipPort } });
    const optionsStatus = async (): Promise<number> => (await askOptions(phone)).status;
    const ballast = join(disk!, 'ballast');
    try {
      expect(await optionsStatus()).toBe(200);
      const { bavail, bsize } = statfsSync(disk!);
      writeFileSync(ballast, Buffer.alloc(Math.floor(bavail * bsize * 0.98)));
      for (let n = 0; statfsSync(disk!).bavail > 0; n++) {
        try {
          writeFileSync(join(disk!, `ballast-${n}`), Buffer.alloc(statfsSync(disk!).bavail * bsize));
        } catch {
          // no room left: as it should be
        }
      }
      const node = await waitFor('the node to say so', 5_000, () => unready(stack.mediaUrl));
      expect(JSON.stringify(node)).toMatch(/(?:spool|temporal|postgresql)_refuses_writes/);
      await waitFor('the API to say so', 5_000, () => unready(stack.apiUrl));
      expect(await optionsStatus()).toBe(503);
      expect(stack.log).toMatch(/"store":"(?:spool|temporal|postgresql)".*"msg":"writes are refused/);
      execFileSync('find', [disk!, '-maxdepth', '1', '-name', 'ballast*', '-delete']);
      await stack.waitReady(30_000);
      // The API may know a second earlier than the node, which looks once a second.
      await waitFor('the node to take calls', 5_000, async () => ((await optionsStatus()) === 200 ? true : undefined));
    } finally {
      execFileSync('find', [disk!, '-maxdepth', '1', '-name', 'ballast*', '-delete']);
      phone.close();
      await media.close();
      await stack.stop({ keepData: true });
    }
  },
  180_000,
);
