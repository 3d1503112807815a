/** The beat of all audio, and the rate at which sessions exchange it with each other, with the ear and with the voice. */
export const FRAME_MS = 20;
/** Of everything that is not one codec's: codecs of another rate are resampled where they join the graph. */
export const EDGE_RATE_HZ = 8000;
export const EDGE_FRAME_SAMPLES = (EDGE_RATE_HZ * FRAME_MS) / 1000;
