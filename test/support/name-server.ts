/** A name server on loopback: real datagrams, and what it says to each question is up to the test. */
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';

const TYPES = { A: 1, SRV: 33, NAPTR: 35, AAAA: 28 } as const;
type RecordType = keyof typeof TYPES;

const CODES = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3 } as const;
const AUTHORITATIVE_RESPONSE = 0x8580;
const CLASS_IN = 1;

type RecordData =
  | { readonly a: string }
  | { readonly srv: readonly [priority: number, weight: number, port: number, target: string] }
  | {
      readonly naptr: readonly [order: number, preference: number, flags: string, service: string, replacement: string];
    };

/** `silent`: the question is never answered. */
export type NameAnswerPlan =
  'silent' | 'SERVFAIL' | 'NXDOMAIN' | { readonly records: readonly RecordData[]; readonly ttl?: number };

export interface AskedQuestion {
  readonly name: string;
  readonly type: RecordType | number;
}

export class TestNameServer {
  readonly asked: AskedQuestion[] = [];
  readonly #socket: Socket;
  readonly #plans = new Map<string, NameAnswerPlan>();
  /** For names without a plan of their own. */
  otherwise: NameAnswerPlan = 'NXDOMAIN';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (query, from) => this.#answer(query, from));
  }

  static async start(): Promise<TestNameServer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new TestNameServer(socket);
  }

  /** As `DNS_SERVERS` takes it. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  /** Without records of the type asked for: the name exists, and has none of these. */
  plan(name: string, type: RecordType, plan: NameAnswerPlan): void {
    this.#plans.set(`${type} ${name}`, plan);
  }

  /** All types of the name. */
  planAll(name: string, plan: NameAnswerPlan): void {
    for (const type of Object.keys(TYPES) as RecordType[]) this.plan(name, type, plan);
  }

  count(name: string, type: RecordType): number {
    return this.asked.filter((question) => question.name === name && question.type === type).length;
  }

  close(): void {
    this.#socket.close();
  }

  #answer(query: Buffer, from: RemoteInfo): void {
    const { name, end } = readName(query, 12);
    const number = query.readUInt16BE(end);
    const type = (Object.keys(TYPES) as RecordType[]).find((known) => TYPES[known] === number) ?? number;
    this.asked.push({ name, type });
    const exists = [...this.#plans.keys()].some((planned) => planned.endsWith(` ${name}`));
    const plan = this.#plans.get(`${type} ${name}`) ?? (exists ? { records: [] } : this.otherwise);
    if (plan === 'silent') return;
    const records = typeof plan === 'string' ? [] : plan.records;
    const ttl = typeof plan === 'string' ? 0 : (plan.ttl ?? 60);
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(AUTHORITATIVE_RESPONSE | CODES[typeof plan === 'string' ? plan : 'NOERROR'], 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    const question = query.subarray(12, end + 4);
    const answers = records.map((record) => resourceRecord(name, number, ttl, record));
    this.#socket.send(Buffer.concat([header, question, ...answers]), from.port, from.address);
  }
}

/** RFC 1035 §4.1.3: NAME TYPE CLASS TTL RDLENGTH RDATA. */
function resourceRecord(name: string, type: number, ttl: number, record: RecordData): Buffer {
  const data = recordData(record);
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(CLASS_IN, 2);
  fixed.writeUInt32BE(ttl, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([domainName(name), fixed, data]);
}

function recordData(record: RecordData): Buffer {
  if ('a' in record) return Buffer.from(record.a.split('.').map(Number));
  if ('srv' in record) {
    const [priority, weight, port, target] = record.srv;
    return Buffer.concat([words(priority, weight, port), domainName(target)]);
  }
  const [order, preference, flags, service, replacement] = record.naptr;
  const texts = [flags, service, ''].map((text) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]));
  return Buffer.concat([words(order, preference), ...texts, domainName(replacement)]);
}

function words(...values: readonly number[]): Buffer {
  return Buffer.from(values.flatMap((value) => [value >> 8, value & 0xff]));
}

function domainName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ]);
}

function readName(message: Buffer, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = start;
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length).toLowerCase());
    at += 1 + length;
  }
  return { name: labels.join('.'), end: at + 1 };
}
