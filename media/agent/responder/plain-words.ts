/** Lower case, without the punctuation and hyphens a recogniser sets as it likes. */
export function plainWords(text: string): string {
  if (text.startsWith('[')) return text;
  return text
    .toLowerCase()
    .replace(/[’‘]/g, "'")
    .replace(/-/g, ' ')
    .replace(/[^\p{L}\p{N}' ]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

const MAX_NAME_CHARACTERS = 80;

/** Of a destination, in one line that can be said: names are whatever somebody has typed. */
export function spokenName(name: string): string {
  const line = name.replaceAll(/[\s\p{C}]+/gu, ' ').trim();
  return line.length <= MAX_NAME_CHARACTERS ? line : `${line.slice(0, MAX_NAME_CHARACTERS - 1).trimEnd()}…`;
}
