/**
 * RTP of all test phones of a process, in a thread of its own so that a busy test does not look like a gap in the audio.
 * Sends 20 ms packets on an absolute schedule (silence when nothing plays) and keeps everything it receives with its time
 * of arrival. Own G.711 and RTP: see sip-text.ts.
 */
import { createSocket } from 'node:dgram';
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';

import type { Socket } from 'node:dgram';

export interface StreamRemote {
  readonly address: string;
  readonly port: number;
  readonly codec: 'PCMU' | 'PCMA';
  readonly payloadType: number;
  readonly eventPayloadType: number | null;
  readonly send: boolean;
}

export interface Arrivals {
  readonly packets: number;
  /** Missing sequence numbers between the first and the last. */
  readonly lost: number;
  /** Epoch ms. */
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
  /** Times between arrivals, ms, in order. */
  readonly gapsMs: Float64Array;
  /** Epoch ms of the packet that ended each gap. */
  readonly arrivalsMs: Float64Array;
  readonly sent: number;
  /** Epoch ms of our first packet. */
  readonly firstSentAtMs: number | null;
}

export interface Recording extends Arrivals {
  /** 8 kHz, from the first packet on, laid out by timestamps; what never came is zero. */
  readonly pcm: Int16Array;
  /** Keys that were pressed towards us (RFC 4733): one for each timestamp whose end has come. */
  readonly pressed: string;
}

export type ToMediaThread =
  | { readonly type: 'open'; readonly request: number; readonly stream: number; readonly address: string }
  | { readonly type: 'remote'; readonly stream: number; readonly remote: StreamRemote }
  | { readonly type: 'play'; readonly request: number; readonly stream: number; readonly pcm: Int16Array }
  | { readonly type: 'digits'; readonly request: number; readonly stream: number; readonly digits: string }
  | { readonly type: 'recording'; readonly request: number; readonly stream: number }
  | { readonly type: 'arrivals'; readonly request: number; readonly stream: number }
  | { readonly type: 'close'; readonly stream: number };

export interface FromMediaThread {
  readonly request: number;
  readonly value: number | Recording | Arrivals | null;
}

const FRAME_MS = 20;
const FRAME = 160;
const DIGITS = '0123456789*#ABCD';
const DIGIT_FRAMES = 5;
const PAUSE_FRAMES = 4;

interface Arrival {
  readonly atMs: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly payload: Buffer;
  readonly payloadType: number;
}

interface Stream {
  readonly socket: Socket;
  readonly startMs: number;
  readonly ssrc: number;
  readonly arrivals: Arrival[];
  remote: StreamRemote | null;
  frame: number;
  sequence: number;
  timestamp: number;
  sent: number;
  firstSentAtMs: number | null;
  playing: { readonly pcm: Int16Array; at: number; readonly request: number }[];
  pressing: { readonly event: number; frame: number; readonly timestamp: number } | null;
  digits: { readonly digit: string; readonly request: number | null }[];
  pauseFrames: number;
}

const streams = new Map<number, Stream>();
const now = (): number => performance.now();

function encode(codec: 'PCMU' | 'PCMA', sample: number): number {
  let magnitude = Math.min(32635, Math.abs(sample));
  const sign = sample < 0 ? 0x80 : 0;
  if (codec === 'PCMU') {
    magnitude += 132;
    const exponent = Math.max(0, Math.floor(Math.log2(magnitude)) - 7);
    return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff;
  }
  const exponent = magnitude < 256 ? 0 : Math.floor(Math.log2(magnitude)) - 7;
  const mantissa = (magnitude >> (exponent === 0 ? 4 : exponent + 3)) & 0x0f;
  return ((sign ^ 0x80) | (exponent << 4) | mantissa) ^ 0x55;
}

function decode(codec: 'PCMU' | 'PCMA', octet: number): number {
  if (codec === 'PCMU') {
    const bits = ~octet & 0xff;
    const magnitude = ((((bits & 0x0f) << 3) + 132) << ((bits >> 4) & 7)) - 132;
    return bits & 0x80 ? -magnitude : magnitude;
  }
  const bits = octet ^ 0x55;
  const exponent = (bits >> 4) & 7;
  const base = ((bits & 0x0f) << 4) + 8;
  const magnitude = exponent === 0 ? base : (base + 256) << (exponent - 1);
  return bits & 0x80 ? magnitude : -magnitude;
}

function tick(stream: Stream): void {
  const { remote } = stream;
  if (remote === null) return;
  stream.timestamp = (stream.timestamp + FRAME) >>> 0;
  if (!remote.send) return;
  if (stream.pauseFrames > 0) stream.pauseFrames--;
  else if (stream.pressing === null) press(stream);
  if (stream.pressing !== null) {
    sendEvent(stream, stream.pressing);
    return;
  }
  const payload = Buffer.alloc(FRAME, remote.codec === 'PCMU' ? 0xff : 0xd5);
  for (let i = 0; i < FRAME; i++) {
    const playing = stream.playing[0];
    if (playing === undefined) break;
    payload[i] = encode(remote.codec, playing.pcm[playing.at++] ?? 0);
    if (playing.at < playing.pcm.length) continue;
    stream.playing.shift();
    reply(playing.request, null);
  }
  sendPacket(stream, remote.payloadType, stream.timestamp, payload, false);
}

function press(stream: Stream): void {
  const next = stream.digits[0];
  const event = next === undefined ? -1 : DIGITS.indexOf(next.digit);
  if (event >= 0) stream.pressing = { event, frame: 0, timestamp: stream.timestamp };
}

function sendEvent(stream: Stream, pressing: NonNullable<Stream['pressing']>): void {
  const type = stream.remote?.eventPayloadType;
  const end = pressing.frame >= DIGIT_FRAMES;
  const duration = Math.min(pressing.frame + 1, DIGIT_FRAMES) * FRAME;
  const payload = Buffer.from([pressing.event, end ? 0x8a : 0x0a, duration >> 8, duration & 0xff]);
  if (typeof type === 'number') sendPacket(stream, type, pressing.timestamp, payload, pressing.frame === 0);
  if (++pressing.frame < DIGIT_FRAMES + 3) return;
  stream.pressing = null;
  stream.pauseFrames = PAUSE_FRAMES;
  const done = stream.digits.shift();
  if (done?.request != null) reply(done.request, null);
}

function sendPacket(stream: Stream, payloadType: number, timestamp: number, payload: Buffer, marker: boolean): void {
  const remote = stream.remote as StreamRemote;
  const packet = Buffer.alloc(12 + payload.length);
  packet[0] = 0x80;
  packet[1] = payloadType | (marker || stream.sent === 0 ? 0x80 : 0);
  stream.sequence = (stream.sequence + 1) & 0xffff;
  packet.writeUInt16BE(stream.sequence, 2);
  packet.writeUInt32BE(timestamp, 4);
  packet.writeUInt32BE(stream.ssrc, 8);
  payload.copy(packet, 12);
  stream.sent++;
  stream.firstSentAtMs ??= performance.timeOrigin + now();
  stream.socket.send(packet, remote.port, remote.address);
}

function receive(stream: Stream, packet: Buffer): void {
  if (packet.length < 13 || (packet[0] as number) >> 6 !== 2) return;
  const payloadType = (packet[1] as number) & 0x7f;
  if (payloadType >= 64 && payloadType < 96) return;
  stream.arrivals.push({
    atMs: performance.timeOrigin + now(),
    sequence: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    payload: packet.subarray(12 + ((packet[0] as number) & 0x0f) * 4),
    payloadType,
  });
}

function recordingOf(stream: Stream): Recording {
  const { arrivals } = stream;
  const audio = arrivals.filter(({ payloadType }) => payloadType === 0 || payloadType === 8);
  const first = audio[0];
  const offsets = audio.map(({ timestamp }) => (timestamp - (first?.timestamp ?? 0)) | 0);
  const length = Math.max(0, ...offsets.map((offset, i) => offset + (audio[i] as Arrival).payload.length));
  const pcm = new Int16Array(Math.min(length, 8000 * 3600));
  audio.forEach(({ payload, payloadType }, i) => {
    const codec = payloadType === 0 ? 'PCMU' : 'PCMA';
    const offset = offsets[i] as number;
    if (offset >= 0) payload.forEach((octet, j) => (pcm[offset + j] = decode(codec, octet)));
  });
  return { ...arrivalsOf(stream), pcm, pressed: pressedOf(arrivals) };
}

function pressedOf(arrivals: readonly Arrival[]): string {
  const keys = new Map<number, string>();
  for (const { payload, payloadType, timestamp } of arrivals) {
    const ends = payloadType >= 96 && payload.length === 4 && (payload[1] as number) >= 0x80;
    if (ends) keys.set(timestamp, DIGITS[payload[0] as number] ?? '?');
  }
  return [...keys.values()].join('');
}

/** Without the audio, whose decoding keeps the thread from its other streams. */
function arrivalsOf(stream: Stream): Arrivals {
  const { arrivals } = stream;
  const numbers = new Set<number>();
  let extended = 0;
  arrivals.forEach(({ sequence }, i) => {
    extended = i === 0 ? sequence : extended + (((sequence - extended) << 16) >> 16);
    numbers.add(extended);
  });
  const span = numbers.size === 0 ? 0 : Math.max(...numbers) - Math.min(...numbers) + 1;
  return {
    packets: arrivals.length,
    lost: span - numbers.size,
    firstAtMs: arrivals[0]?.atMs ?? null,
    lastAtMs: arrivals.at(-1)?.atMs ?? null,
    gapsMs: Float64Array.from(arrivals.slice(1), ({ atMs }, i) => atMs - (arrivals[i] as Arrival).atMs),
    arrivalsMs: Float64Array.from(arrivals.slice(1), ({ atMs }) => atMs),
    sent: stream.sent,
    firstSentAtMs: stream.firstSentAtMs,
  };
}

function open(request: number, id: number, address: string): void {
  const socket = createSocket('udp4');
  const random = (bound: number): number => Math.floor(Math.random() * bound);
  const stream: Stream = {
    socket,
    startMs: now() + random(FRAME_MS),
    ssrc: random(0xffffffff),
    arrivals: [],
    remote: null,
    frame: 0,
    sequence: random(0xffff),
    timestamp: random(0xffffffff),
    sent: 0,
    firstSentAtMs: null,
    playing: [],
    pressing: null,
    digits: [],
    pauseFrames: 0,
  };
  socket.on('message', (packet) => receive(stream, packet));
  socket.on('error', () => undefined);
  socket.bind(0, address, () => {
    streams.set(id, stream);
    reply(request, socket.address().port);
  });
}

function reply(request: number, value: FromMediaThread['value']): void {
  parentPort?.postMessage({ request, value } satisfies FromMediaThread);
}

function handle(message: ToMediaThread): void {
  if (message.type === 'open') {
    open(message.request, message.stream, message.address);
    return;
  }
  const stream = streams.get(message.stream);
  if (stream === undefined) return;
  switch (message.type) {
    case 'remote':
      stream.remote = message.remote;
      return;
    case 'play':
      stream.playing.push({ pcm: message.pcm, at: 0, request: message.request });
      return;
    case 'digits':
      Array.from(message.digits).forEach((digit, i) =>
        stream.digits.push({ digit, request: i === message.digits.length - 1 ? message.request : null }),
      );
      return;
    case 'recording':
      reply(message.request, recordingOf(stream));
      return;
    case 'arrivals':
      reply(message.request, arrivalsOf(stream));
      return;
    case 'close':
      streams.delete(message.stream);
      stream.socket.close();
  }
}

/** What this thread measures must not be its own waiting for a processor; where that is not permitted, it may be. */
function raisePriority(): void {
  try {
    setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), -10);
  } catch {
    // Not Linux, or not permitted.
  }
}

raisePriority();
parentPort?.on('message', handle);

/** Every stream that is due gets its packet; one that is more than a frame behind skips what it missed. */
setInterval(() => {
  const atMs = now();
  for (const stream of streams.values()) {
    const due = Math.floor((atMs - stream.startMs) / FRAME_MS);
    if (due <= stream.frame) continue;
    stream.frame = due;
    tick(stream);
  }
}, 2);
