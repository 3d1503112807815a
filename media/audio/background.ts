/** What a peer may hear while nobody speaks to it. Made here, of sines: no recording, nobody's work. */
export type Background = 'ringback' | 'music';
