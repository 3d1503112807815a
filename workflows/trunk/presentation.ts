/** What an operator reads of a trunk in Temporal's UI. */
import type { TrunkIdentity } from './messages';
import type { TrunkProgress } from './trunk-progress';

const MAX_MESSAGE_CHARS = 200;

export const trunkSummary = ({ orgId, direction }: TrunkIdentity): string =>
  `${direction === 'inbound' ? 'Inbound' : 'Outbound'} trunk of organisation ${orgId}`;

export const TRUNK_DETAILS = [
  'Lives as long as its trunk. After each change of the trunk it waits until every live media node acts on it, and records',
  'that; the password before a rotation is erased when its time is over. Ends when the trunk was deleted and no media node',
  'knows it any more.',
].join(' ');

export function trunkDetails({ direction }: TrunkIdentity, progress: TrunkProgress, removed = false): string {
  const { graceUntilMs, health } = progress.state;
  const lines: string[] = [];
  if (graceUntilMs !== null && !removed) {
    lines.push(`- the password before the last rotation is erased at ${iso(graceUntilMs)}`);
  }
  if (direction === 'outbound' && health !== null) {
    lines.push(`- health: **${health.state}** since ${health.at}, as ${health.nodeId} sees it`);
    for (const { code, message } of health.reasons) lines.push(`  - ${code}: ${message.slice(0, MAX_MESSAGE_CHARS)}`);
  }
  // Markdown wants an empty line before a list.
  if (lines.length > 0) lines.unshift('');
  return [`**${direction} trunk**: ${standing(progress, removed)}`, ...lines].join('\n');
}

function standing({ underWay, state }: TrunkProgress, removed: boolean): string {
  const { confirmed } = state;
  if (confirmed === null) return removed ? 'removed' : 'on its way to the media nodes';
  const { version, nodes, atMs } = confirmed;
  const where = `${nodes} of ${nodes} media nodes at ${iso(atMs)}`;
  if (removed) return `removed from ${where}`;
  const last = `version ${version} confirmed on ${where}`;
  return underWay ? `a change is on its way to the media nodes; ${last}` : last;
}

const iso = (ms: number): string => new Date(ms).toISOString();
