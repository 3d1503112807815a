/** What a peer wrote, for people: of control characters, which PostgreSQL and terminals take ill, nothing is left. */
export function plainText(text: string, maxLength: number): string {
  const plain = text.replace(/[\p{Cc}\p{Cs}\ufffd]+/gu, ' ').trim();
  // A pair of surrogates that the limit would halve goes as a whole.
  return plain.slice(0, maxLength).replace(/[\ud800-\udbff]$/, '');
}
