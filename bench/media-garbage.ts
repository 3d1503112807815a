/**
 * `npm run bench:media-garbage`: what sessions leave to the garbage collector per packet in and packet out, sockets aside:
 * alone with an agent that speaks, with music, echoed, connected in pairs, and in pairs with a supervisor who barges in, each
 * with a listener. Prints one JSON line.
 */
import { PerformanceObserver } from 'node:perf_hooks';
import { createCodec } from '../media/codec/codec';
import { MediaGraph } from '../media/rtp/media-graph';
import { MediaSession } from '../media/rtp/media-session';
import type { FrameTap } from '../media/rtp/media-session';

const SESSIONS = 20;
/** Until all of it is compiled. */
const WARM_ROUNDS = 20_000;
/** Few enough that what little there is fits into the young generation: what grows is all that was made. */
const ROUNDS = 500;
const GOAL = { bytesPerFrame: 100 };
const ADDRESS = '192.0.2.10';
const PORT = 4000;

/** A session, and the packets of its peer in a buffer that is written over. */
class Line {
  readonly session: MediaSession;
  readonly #packet = new DataView(new ArrayBuffer(172));
  readonly #bytes = new Uint8Array(this.#packet.buffer);
  #sequenceNumber = 0;

  constructor(now: () => number) {
    const nothing = (): void => undefined;
    this.session = new MediaSession({
      sendRtp: nothing,
      sendRtcp: nothing,
      connectRtp: nothing,
      allowPrivateTargets: true,
      mediaTimeoutMs: 30_000,
      cname: 'bench',
      now,
      epochOffsetMs: 0,
      events: {
        onDtmf: nothing,
        onFirstPacketSent: nothing,
        onFirstPacketReceived: nothing,
        onPlaybackFinished: nothing,
        onMediaTimeout: nothing,
        onMediaQuiet: nothing,
        onDeaf: nothing,
      },
    });
    const codec = 'PCMU';
    const remote = {
      address: ADDRESS,
      port: PORT,
      signallingAddress: ADDRESS,
      codec,
      payloadType: 0,
      send: true,
    } as const;
    this.session.setRemote({ ...remote, telephoneEventPayloadType: 101 }, now());
    createCodec(codec).encode(
      Int16Array.from({ length: 160 }, (_, i) => 4000 * Math.sin(i / 5)),
      this.#bytes,
      12,
    );
    this.#packet.setUint16(0, 0x8000);
    this.#packet.setUint32(8, 42);
  }

  round(nowMs: number): void {
    this.#sequenceNumber++;
    this.#packet.setUint16(2, this.#sequenceNumber);
    this.#packet.setUint32(4, this.#sequenceNumber * 160);
    this.session.receiveRtp(this.#bytes, ADDRESS, PORT, nowMs);
    this.session.read(nowMs, 0);
    this.session.send(nowMs);
  }
}

function bytesPerFrame(prepare: (graph: MediaGraph, lines: readonly Line[]) => void): number {
  let nowMs = 0.25;
  let heard = 0;
  const ear: FrameTap = { frame: (_pcm, received) => (heard += received ? 1 : 0) };
  const lines = Array.from({ length: SESSIONS }, () => new Line(() => nowMs));
  const graph = new MediaGraph(() => undefined);
  lines.forEach(({ session }, i) => graph.add(i + 1, session, ear));
  prepare(graph, lines);
  const run = (rounds: number): void => {
    for (let round = 0; round < rounds; round++, nowMs += 20) for (const line of lines) line.round(nowMs);
  };
  run(WARM_ROUNDS);
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  run(ROUNDS);
  const after = process.memoryUsage().heapUsed;
  if (heard < SESSIONS * ROUNDS) throw new Error('the sessions heard nothing');
  return Math.round(((after - before) / (SESSIONS * ROUNDS)) * 10) / 10;
}

async function main(): Promise<void> {
  let collections = 0;
  new PerformanceObserver((list) => (collections += list.getEntries().length)).observe({ entryTypes: ['gc'] });
  const speech = new Int16Array(160 * (WARM_ROUNDS + ROUNDS));
  const figures = {
    bench: 'media-garbage',
    sessions: SESSIONS,
    frames: SESSIONS * ROUNDS,
    bytesPerFrame: {
      silence: bytesPerFrame(() => undefined),
      agent: bytesPerFrame((_, lines) => lines.forEach(({ session }) => session.sources.queue.play(1, speech, true))),
      music: bytesPerFrame((graph, lines) => lines.forEach((_, i) => graph.setBackground(i + 1, 'music'))),
      echo: bytesPerFrame((_, lines) => lines.forEach(({ session }) => session.echo())),
      bridged: bytesPerFrame((graph) => {
        for (let id = 1; id < SESSIONS; id += 2) graph.connect(id, id + 1);
      }),
      supervised: bytesPerFrame((graph) => {
        for (let id = 1; id + 2 <= SESSIONS; id += 3) {
          graph.connect(id, id + 1);
          graph.supervise(id + 2, id, 'barge');
        }
      }),
    },
    goal: GOAL,
  };
  await new Promise((resolve) => setTimeout(resolve, 10));
  process.stdout.write(`${JSON.stringify({ ...figures, collections })}\n`);
}

void main();
