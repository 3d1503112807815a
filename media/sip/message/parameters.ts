/** Splits at `separator` outside quoted strings and angle brackets. Never throws; an unclosed quote runs to the end. */
export function splitOutsideQuotes(text: string, separator: string): string[] {
  if (!text.includes(separator)) return [text.trim()];
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  let bracketed = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === '\\') i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === '<') bracketed = true;
    else if (c === '>') bracketed = false;
    else if (c === separator && !bracketed) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  parts.push(text.slice(start).trim());
  return parts;
}

/** Removes quotes and their escapes (RFC 3261 §25.1 quoted-string). */
export function unquote(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text;
  return text.slice(1, -1).replace(/\\(.)/gs, '$1');
}

export function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(/[\r\n]/g, ' ')}"`;
}

/**
 * `;name=value;flag` to a map of lower-case names; a flag has the value null. The first of two equal names wins.
 * A map and not an object: names come from the network.
 */
export function parseParameters(text: string): Map<string, string | null> {
  const params = new Map<string, string | null>();
  if (text === '') return params;
  for (const part of splitOutsideQuotes(text, ';')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = (equals < 0 ? part : part.slice(0, equals)).trim().toLowerCase();
    if (name === '' || params.has(name)) continue;
    params.set(name, equals < 0 ? null : unquote(part.slice(equals + 1).trim()));
  }
  return params;
}
