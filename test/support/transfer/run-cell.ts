/** One cell of the transfer matrix, played out with phones. Throws what is not as it has to be. */
import { setTimeout as sleep } from 'node:timers/promises';

import { newNumber } from '../outbound';
import type { PhoneCall } from '../phone/phone-call';
import { amplitudeAt, rms, sine } from '../tones';
import { waitFor } from '../wait-for';
import type { Blow } from './blow';
import { announces, expectedOf, isWarm, modeOf, notifiedOf, refusalOf, titleOf } from './cells';
import type { Expected, Step, TransferCell } from './cells';
import type { MatrixStack, TransferRecord } from './matrix-stack';

const SAMPLES_PER_MS = 8;
const AMPLITUDE = 6_000;
const RINGBACK_HZ = 425;
/** Every call has two tones of its own, clear of the ringing tone: whoever hears another's is caught. */
const CALLER_HZ = 500;
const FAR_HZ = 1_310;
const APART_HZ = 20;
const TONES = 40;
/** With everything dead for a while and a machine that has other things to do. */
const STEP_MS = 45_000;
const END_MS = 60_000;
const RING_TIMEOUT_SECONDS = 6;
const TONE_MS = 10_000;
const SPEECH_MS = 10_000;
const WINDOW_SAMPLES = 400 * SAMPLES_PER_MS;
/** Nothing listens there. */
const NOBODY = 'sip:nobody@127.0.0.1:9';
const BRIEFING = 'There is a caller here who would like to know everything about the transfer of telephone calls.';
const AFTER_ANSWER_MS = 100;
/** An answer to a REFER that nobody waits for any more. */
const GONE = 481;

interface Scene {
  readonly cell: TransferCell;
  readonly matrix: MatrixStack;
  readonly blow: Blow | null;
  readonly index: number;
  readonly phone: PhoneCall;
  readonly callId: string;
  readonly number: string;
}

/** @param index tells the calls of one stack apart that live at once */
export async function runCell(
  cell: TransferCell,
  matrix: MatrixStack,
  blow: Blow | null,
  index: number,
): Promise<void> {
  try {
    const { phone, id } = await matrix.answered(cell.refer === 'none' ? matrix.plain : matrix.pbx);
    const number = newNumber();
    await play({ cell, matrix, blow, index, phone, callId: id, number });
  } catch (error) {
    throw new Error(`${titleOf(cell)}: ${(error as Error).message}`, { cause: error });
  } finally {
    blow?.leave(cell);
  }
}

async function play(scene: Scene): Promise<void> {
  const { cell, phone } = scene;
  const expected = expectedOf(cell);
  const answer = openable();
  const asked = openable<number>();
  prepareFar(scene, answer.wait);
  phone.answerRefer = () => asked.wait;
  const transferId = await begin(scene);
  const over = await untilDecided(scene, transferId, answer.open, asked.open);
  const transfer = await outcomeOf(scene, END_MS);
  check('the result', pick(transfer), { ...wanted(expected), id: transferId });
  if (transfer.duration_ms === null || transfer.duration_ms < 0) throw new Error(`lasted ${transfer.duration_ms}`);
  if (!over) await talk(scene, transferId);
  await theEnd(scene, transferId, expected, transfer);
}

function prepareFar({ cell: { end }, matrix, number }: Scene, ringUntil: Promise<void>): void {
  const statuses: Partial<Record<TransferCell['end'], number>> = { busy: 486, declined: 603 };
  const never = end === 'no_answer' || end === 'gone_ringing';
  matrix.answers.set(number, never ? { ring: 'forever' } : { status: statuses[end] ?? 200, ringUntil });
}

async function begin({ cell, matrix, callId, number }: Scene): Promise<string> {
  const target = cell.end === 'unreachable' ? { type: 'sip', value: NOBODY } : { type: 'phone', value: number };
  const answer = await matrix.stack.api<{ transfer_id: string }>('POST', `/phone/calls/${callId}/transfer`, {
    ...target,
    mode: modeOf(cell),
    ring_timeout_seconds: cell.end === 'no_answer' ? RING_TIMEOUT_SECONDS : 60,
    ...(isWarm(cell) ? { briefing: BRIEFING } : {}),
    ...(announces(cell) ? { announce: 'One moment please, I am putting you through to a colleague of mine.' } : {}),
  });
  check('the answer', answer.status, 200);
  return answer.body.transfer_id;
}

/** True when the caller has gone. */
async function untilDecided(
  scene: Scene,
  transferId: string,
  answer: () => void,
  answerRefer: (status: number) => void,
): Promise<boolean> {
  const { cell, matrix, phone, number } = scene;
  const { refer, end } = cell;
  if (announces(cell)) {
    await waitFor('the sentence before', STEP_MS, async () => (rms(await hears(phone, 200)) > 100 ? true : undefined));
    await passed(scene, 'announce');
    if (end === 'gone_announce') return await leave(phone);
  }
  if (refer !== 'none') {
    await waitFor('the REFER', STEP_MS, () => phone.refers[0]);
    await passed(scene, 'asked');
    if (end === 'gone_asked') {
      await leave(phone);
      answerRefer(GONE);
      return true;
    }
    answerRefer(refusalOf(refer) ?? 202);
    if (refusalOf(refer) === null) {
      // What comes after it must not be on the way before it.
      await sleep(AFTER_ANSWER_MS);
      await passed(scene, 'referred');
      if (await tellOfReferral(phone, refer)) return true;
    }
    if (end === 'refer' || end === 'refer_only') return false;
  }
  if (end === 'unreachable') return false;
  await waitFor('a phone to ring', STEP_MS, () => (ringsAt(matrix, number) > 0 ? true : undefined));
  await passed(scene, 'ringing');
  if (end === 'gone_ringing') {
    await ringback(phone);
    return await leave(phone);
  }
  answer();
  if (isWarm(cell)) return await consult(scene, transferId);
  if (end === 'callee_leaves_at_once') {
    const there = await joined(matrix, transferId);
    await there.hangup();
    return true;
  }
  return false;
}

/** Whoever has answered is told who is there, asked, and decides. True when the caller has gone. */
async function consult(scene: Scene, transferId: string): Promise<boolean> {
  const { cell, matrix, phone, callId } = scene;
  const there = await joined(matrix, transferId);
  await waitFor('the briefing', STEP_MS, async () => (rms(await hears(there, 200)) > 100 ? true : undefined));
  await passed(scene, 'told');
  if (cell.end === 'gone_told') return await leave(phone);
  if (cell.kill?.step === 'questioned') {
    await waitFor('the question', STEP_MS, async () =>
      (await matrix.events(callId)).find(({ type, data }) => type === 'consult' && data['step'] === 'asked'),
    );
    await passed(scene, 'questioned');
  }
  // Hung up, a phone does not come to the end of its key.
  void there.sendDigits(cell.end === 'takes' ? '1' : '2');
  return false;
}

/** What a phone system says of a call that it was asked to make. True when it has hung up on us. */
async function tellOfReferral(phone: PhoneCall, refer: TransferCell['refer']): Promise<boolean> {
  if (refer === 'bye') return await leave(phone);
  if (refer === 'silence') return false;
  const status = notifiedOf(refer);
  const [code, words] = status === null ? [100, 'terminated;reason=timeout'] : [status, 'terminated;reason=noresource'];
  check('the answer to the NOTIFY', await phone.notifyReferred(180, 'Ringing', 'active;expires=60'), 200);
  check('the answer to the last NOTIFY', await phone.notifyReferred(code, 'So it is', words), 200);
  return false;
}

/** Who is with whom, by their tones; then one of them hangs up. */
async function talk(scene: Scene, transferId: string): Promise<void> {
  const { cell, matrix, phone } = scene;
  const { end } = cell;
  if (cell.refer === 'notify200') {
    // The BYE is ours, when the peer has not sent it.
    check('who hung up', (await within(phone.ended, STEP_MS, 'our BYE')).by, 'them');
    return;
  }
  if (end === 'takes' || end === 'caller_leaves' || end === 'callee_leaves') {
    const there = await joined(matrix, transferId);
    await passed(scene, 'joined');
    await bothHear(scene, there);
    const [first, second] = end === 'callee_leaves' ? [there, phone] : [phone, there];
    await first.hangup();
    check('who ended the other leg', (await within(second.ended, STEP_MS, 'the end of the other leg')).by, 'them');
    return;
  }
  await withTheAgent(scene);
  await phone.hangup();
}

async function theEnd(
  scene: Scene,
  transferId: string,
  { invites, cancelled, failed_step: failedStep }: Expected,
  transfer: TransferRecord,
): Promise<void> {
  const { cell, matrix, phone, callId, number } = scene;
  await within(phone.ended, STEP_MS, 'the end of the leg of the caller');
  const call = await matrix.ended(callId, END_MS);
  check('the end of the call', { reason: call.end_reason, by: call.ended_by }, endingOf(cell));
  check('truncated', call.truncated, false);
  // A REFER is asked once, a number dialled once, whatever was killed.
  check('REFERs', phone.refers.length, cell.refer === 'none' || cell.end === 'gone_announce' ? 0 : 1);
  check('INVITEs', ringsAt(matrix, number), invites);
  if (cancelled) {
    await waitFor('the CANCEL', STEP_MS, () => (matrix.far.cancelled.includes(transferId) ? true : undefined));
  } else check('CANCELs', matrix.far.cancelled.includes(transferId), false);
  const there = matrix.far.calls.get(transferId);
  if (there !== undefined) await within(there.ended, STEP_MS, 'the end of the other leg');
  await checkEvents(scene, failedStep === null, transfer);
}

async function checkEvents({ matrix, callId }: Scene, completed: boolean, transfer: TransferRecord): Promise<void> {
  const all = await matrix.events(callId);
  const own = all.filter(({ source }) => source === 'workflow');
  const last = completed ? 'transfer.completed' : 'transfer.failed';
  check(
    'the events',
    own.map(({ type }) => type),
    ['call.started', 'transfer.requested', last, 'call.ended'],
  );
  const { id, by: _by, ...result } = transfer;
  check('the data of the event', own.find(({ type }) => type === last)?.data, { transfer_id: id, ...result });
}

function endingOf({ refer, end }: TransferCell): { readonly reason: string; readonly by: string } {
  if (refer === 'notify200' && end === 'refer') return { reason: 'transferred', by: 'agent' };
  if (refer === 'bye' || end === 'caller_leaves' || end === 'takes') return { reason: 'transferred', by: 'caller' };
  if (end === 'callee_leaves' || end === 'callee_leaves_at_once') return { reason: 'transferred', by: 'callee' };
  return { reason: 'caller_hangup', by: 'caller' };
}

/** The step has come; where a process dies at it, it has died when this resolves. */
async function passed({ cell, blow }: Scene, step: Step): Promise<void> {
  if (blow !== null && cell.kill?.step === step) await within(blow.arrive(cell), STEP_MS, 'the other transfers');
}

const outcomeOf = ({ matrix, callId }: Scene, limitMs: number): Promise<TransferRecord> =>
  waitFor('the outcome', limitMs, async () => {
    const transfer = (await matrix.find(callId))?.transfer;
    return transfer?.outcome == null ? undefined : transfer;
  });

const joined = (matrix: MatrixStack, transferId: string): Promise<PhoneCall> =>
  waitFor('the other leg', STEP_MS, () => matrix.far.calls.get(transferId));

const ringsAt = ({ far }: MatrixStack, number: string): number =>
  far.invites.filter(({ user }) => user === number).length;

async function leave(phone: PhoneCall): Promise<true> {
  check('the answer to the BYE', await phone.hangup(), 200);
  return true;
}

/** What a phone hears from now on, for so long. */
async function hears(call: PhoneCall, ms: number): Promise<Int16Array> {
  const before = (await call.recording()).pcm.length;
  await sleep(ms);
  return (await call.recording()).pcm.slice(before);
}

async function ringback(phone: PhoneCall): Promise<void> {
  await waitFor('ringback', 8_000, async () =>
    amplitudeAt(await hears(phone, 250), RINGBACK_HZ) > 100 ? true : undefined,
  );
}

async function bothHear({ index, phone }: Scene, there: PhoneCall): Promise<void> {
  const at = (index % TONES) * APART_HZ;
  const next = ((index + 1) % TONES) * APART_HZ;
  void phone.play(sine(CALLER_HZ + at, TONE_MS * SAMPLES_PER_MS, AMPLITUDE));
  void there.play(sine(FAR_HZ + at, TONE_MS * SAMPLES_PER_MS, AMPLITUDE));
  await waitFor('the tones of both', TONE_MS, async () => {
    const [first, second] = await Promise.all([hears(phone, 500), hears(there, 500)]);
    const heard =
      amplitudeAt(first, FAR_HZ + at) > AMPLITUDE / 2 && amplitudeAt(second, CALLER_HZ + at) > AMPLITUDE / 2;
    const own = amplitudeAt(first, CALLER_HZ + at) + amplitudeAt(second, FAR_HZ + at);
    const others = amplitudeAt(first, FAR_HZ + next) + amplitudeAt(second, CALLER_HZ + next);
    const ringing = amplitudeAt(first, RINGBACK_HZ);
    return heard && own < AMPLITUDE / 10 && others < AMPLITUDE / 10 && ringing < 50 ? true : undefined;
  });
}

/** The agent can be told something, and is heard saying it; nothing rings any more. */
async function withTheAgent({ matrix, phone, callId }: Scene): Promise<void> {
  const text = 'So tell me what else I can do for you today.';
  const before = await waitFor('the agent to be told', END_MS, async () => {
    const { length } = (await phone.recording()).pcm;
    const said = await matrix.stack
      .api<{ code?: string }>('POST', `/phone/calls/${callId}/say`, { text, interrupt: true })
      .catch(() => undefined);
    if (said === undefined || said.status === 503) return undefined;
    check('the answer to say', [said.status, said.body.code], [200, undefined]);
    return length;
  });
  await waitFor('the voice of the agent', SPEECH_MS, async () =>
    isSpeech((await phone.recording()).pcm.subarray(before)) ? true : undefined,
  );
}

function isSpeech(heard: Int16Array): boolean {
  for (let at = 0; at + WINDOW_SAMPLES <= heard.length; at += WINDOW_SAMPLES / 2) {
    const part = heard.subarray(at, at + WINDOW_SAMPLES);
    if (rms(part) > 200 && amplitudeAt(part, RINGBACK_HZ) < rms(part) / 2) return true;
  }
  return false;
}

const pick = ({ id, mode, outcome, sip_status, failed_step }: TransferRecord): object => ({
  mode,
  outcome,
  sip_status,
  failed_step,
  id,
});

const wanted = ({ mode, outcome, sip_status, failed_step }: Expected): object => ({
  mode,
  outcome,
  sip_status,
  failed_step,
});

function check(what: string, is: unknown, wants: unknown): void {
  const [got, wanted] = [JSON.stringify(sorted(is)), JSON.stringify(sorted(wants))];
  if (got !== wanted) throw new Error(`${what}: ${got}, not ${wanted}`);
}

function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function within<T>(promise: Promise<T>, limitMs: number, what: string): Promise<T> {
  const late = sleep(limitMs, null, { ref: false }).then((): never => {
    throw new Error(`waited ${limitMs} ms in vain for ${what}`);
  });
  late.catch(() => undefined);
  return await Promise.race([promise, late]);
}

/** A promise, and what fulfils it. */
function openable<T = void>(): { readonly wait: Promise<T>; readonly open: (value: T) => void } {
  let open: (value: T) => void = () => undefined;
  const wait = new Promise<T>((resolve) => (open = resolve));
  return { wait, open };
}
