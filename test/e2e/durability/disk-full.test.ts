/** A disk fills up under the running product: it says so where peers and operators look, and recovers. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { limitFileSize } from '../../support/file-size-limit';
import { askOptions } from '../../support/live/options';
import { PhoneMedia } from '../../support/phone/media';
import { Phone } from '../../support/phone/phone';
import { Stack } from '../../support/stack';
import { waitFor } from '../../support/wait-for';

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

/** `named`: what may refuse to be written to. */
async function showsAndIsOver(
  stack: Stack,
  named: string,
  room: { readonly take: () => void; readonly give: () => void },
): Promise<void> {
  const media = new PhoneMedia();
  const phone = await Phone.open({ media, server: { address: stack.sipHost, port: stack.sipPort } });
  const optionsStatus = async (): Promise<number> => (await askOptions(phone)).status;
  try {
    expect(await optionsStatus()).toBe(200);
    const node = await waitFor('the node to say so', 5_000, () => {
      // Again and again: what a server gives back of itself meanwhile is taken, too.
      room.take();
      return unready(stack.mediaUrl);
    });
    expect(JSON.stringify(node)).toMatch(new RegExp(`(?:${named})_refuses_writes`));
    await waitFor('the API to say so', 5_000, () => unready(stack.apiUrl));
    expect(await optionsStatus()).toBe(503);
    expect(stack.log).toMatch(new RegExp(`"store":"(?:${named})".*"msg":"writes are refused`));
    room.give();
    await stack.waitReady(30_000);
    // The API may know a second earlier than the node, which looks once a second.
    await waitFor('the node to take calls', 5_000, async () => ((await optionsStatus()) === 200 ? true : undefined));
  } finally {
    room.give();
    phone.close();
    await media.close();
  }
}

(disk === null ? it.skip : it)(
  'a full disk of all data shows within 5 s, by name, and is over when there is room (needs the right to mount)',
  async () => {
    const dataDir = join(disk!, 'data');
    mkdirSync(dataDir);
    const stack = await Stack.start({ dataDir });
    let files = 0;
    const take = (): void => {
      for (let left = room(); left > 0; left = room()) {
        try {
          writeFileSync(join(disk!, `ballast-${files++}`), Buffer.alloc(left));
        } catch {
          // no room left: as it should be
        }
      }
    };
    const room = (): number => {
      const { bavail, bsize } = statfsSync(disk!);
      return bavail * bsize;
    };
    const give = (): void => {
      execFileSync('find', [disk!, '-maxdepth', '1', '-name', 'ballast*', '-delete']);
    };
    try {
      await showsAndIsOver(stack, 'spool|temporal|postgresql', { take, give });
    } finally {
      await stack.stop({ keepData: true });
    }
  },
  180_000,
);

// Elsewhere no process can be given a limit while it runs.
(process.platform === 'linux' ? it : it.skip)(
  'a full disk of the spool alone shows within 5 s, by name, and is over when there is room',
  async () => {
    const stack = await Stack.start();
    try {
      const pid = stack.pid('media');
      const take = (): void => limitFileSize(pid, 0);
      const give = (): void => limitFileSize(pid, null);
      await showsAndIsOver(stack, 'spool', { take, give });
      expect(stack.pid('media')).toBe(pid);
    } finally {
      await stack.stop();
    }
  },
  120_000,
);
