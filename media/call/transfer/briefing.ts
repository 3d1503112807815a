/** What somebody is told who is to have a caller, where nobody has written it: for whom the call is, and of whom. */
import type { LegDial } from '../../../contract/transfers';
import type { HandedOver } from './handed-over';

const MAX_NAME_CHARACTERS = 60;
const DIGITS_AT_ONCE = 3;

export function briefingFor(dial: Pick<LegDial, 'name' | 'briefing'>, agentName: string, who: HandedOver): string {
  if (dial.briefing != null) return dial.briefing;
  const whom = dial.name === null ? '' : ` for ${dial.name}`;
  return `Hello. This is ${agentName}, with a call${whom} from ${spokenCaller(who)}.`;
}

function spokenCaller({ number, name, withheld }: HandedOver): string {
  if (withheld) return 'somebody who does not show a number';
  const known = [spokenName(name), spokenNumber(number)].filter((part) => part !== '');
  return known.length === 0 ? 'an unknown number' : known.join(', ');
}

/** Whoever calls chooses it: a voice is given words alone. */
function spokenName(name: string | null): string {
  const words = (name ?? '').replaceAll(/[^\p{L}\p{M}'-]+/gu, ' ').trim();
  return words.slice(0, MAX_NAME_CHARACTERS);
}

/** In groups, digit by digit. */
function spokenNumber(number: string): string {
  if (!/^\+?\d{2,20}$/.test(number)) return '';
  const groups = number.replace('+', '').match(new RegExp(`.{1,${DIGITS_AT_ONCE}}`, 'g')) ?? [];
  return groups.map((group) => group.split('').join(' ')).join(', ');
}
