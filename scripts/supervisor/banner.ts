export interface BannerContent {
  readonly apiUrl: string;
  /** Path of the file, or where else the key comes from. */
  readonly apiKey: string;
  readonly temporalUi: string;
  readonly sipAddress: string;
}

/** What the user needs now, in one block. */
export function banner(content: BannerContent): string {
  const rows: [string, string][] = [
    ['API', content.apiUrl],
    ['API key', content.apiKey],
    ['API docs', `${content.apiUrl}/docs`],
    ['Temporal UI', content.temporalUi],
    ['SIP', `${content.sipAddress} (UDP and TCP)`],
  ];
  const lines = rows.map(([name, value]) => `  ${name.padEnd(13)}${value}`);
  const width = Math.max(...lines.map((line) => line.length)) + 2;
  const rule = '─'.repeat(width);
  return ['', rule, '  Trunkline is ready. Ctrl-C stops it.', '', ...lines, rule, ''].join('\n');
}
