/** A metric of a process of the product, summed over all labels; 0 where there is none. */
export async function scrapedMetric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

/** The same by what its one label says, but for what is 0. */
export async function scrapedByLabel(url: string, name: string): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const values = [...text.matchAll(new RegExp(`^${name}\\{\\w+="([^"]*)"\\} (\\S+)$`, 'gm'))];
  return Object.fromEntries(
    values.map(([, label, value]) => [label!, Number(value)] as const).filter(([, n]) => n > 0),
  );
}
