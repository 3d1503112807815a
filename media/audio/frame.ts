/** The beat of all audio, and the rate of the graph: of what sessions exchange with each other, with the ear and the voice. */
export const FRAME_MS = 20;
/** A codec of another rate changes to it where its session joins the graph. */
export const GRAPH_RATE_HZ = 8000;
export const GRAPH_FRAME_SAMPLES = (GRAPH_RATE_HZ * FRAME_MS) / 1000;
