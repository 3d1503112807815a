/** A message as the strictest and the most gullible reader would both see it. */
export interface StrictMessage {
  readonly startLine: string;
  readonly names: readonly string[];
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/**
 * All messages of a stream, one after the other. Throws at whatever some reader could take for a line end, another
 * header or another message: lone CR or LF, control characters, a line that is no header, bytes behind the last one.
 */
export function readStrictly(stream: Buffer): StrictMessage[] {
  const messages: StrictMessage[] = [];
  let rest = stream.toString('latin1');
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) throw new Error(`no end of head: ${JSON.stringify(rest.slice(0, 200))}`);
    const [startLine = '', ...lines] = rest.slice(0, end).split('\r\n');
    if (!/^(?:[A-Z]+ \S+ SIP\/2\.0|SIP\/2\.0 \d{3} .*)$/.test(startLine)) throw new Error(`start line: ${startLine}`);
    const headers = lines.map((line) => {
      if (/[^\t\x20-\x7e\x80-\xff]/.test(line)) throw new Error(`control character: ${JSON.stringify(line)}`);
      const [, name, value] = /^([A-Za-z0-9-]+): (.*)$/.exec(line) ?? [];
      if (name === undefined || value === undefined) throw new Error(`no header: ${JSON.stringify(line)}`);
      return [name, value] as const;
    });
    const body = end + 4;
    const length = Number(headers.findLast(([name]) => name === 'Content-Length')?.[1]);
    if (!(body + length <= rest.length)) throw new Error('body shorter than its Content-Length');
    messages.push({
      startLine,
      names: headers.map(([name]) => name),
      headers: new Map(headers),
      body: rest.slice(body, body + length),
    });
    rest = rest.slice(body + length);
  }
  return messages;
}
