/** Words to substitute, insert and delete, per word of the reference (Levenshtein distance over words). */
export function wordErrorRate(reference: string, recognised: string): number {
  const a = words(reference);
  const b = words(recognised);
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length]! / a.length;
}

function words(text: string): string[] {
  return (
    text
      .toLowerCase()
      .replace(/-/g, '')
      .match(/[a-z0-9']+/g) ?? []
  );
}
