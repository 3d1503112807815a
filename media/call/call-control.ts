/** What an answered call is told to do, verb by verb: one handler each, which takes it or says why not. */
import type {
  CommandEffect,
  CommandOutcome,
  CommandRefusal,
  CommandResult,
  ConversationControl,
} from '../../contract/commands';
import type { AgentSession } from '../agent/agent-session';
import type { Leg } from './leg/leg';
import type { Supervision } from './supervision/supervision';
import type { Handover } from './transfer/handover';
import type { TransferWishes } from './transfer/transfer-wishes';

/** All but what the peer has asked for: that is about its dialog. */
export type MediaControlVerb = Exclude<ConversationControl, { readonly type: 'followRefer' }>;

interface ControlledMedia {
  readonly leg: Leg;
  readonly agent: AgentSession;
  readonly handover: Handover;
  readonly wishes: TransferWishes;
  readonly supervision: Supervision;
}

type Done = (effect: CommandEffect) => void;

const OK: CommandResult = { ok: true };
const DONE: CommandEffect = { outcome: 'done' };

/** `done` is told once, and never before the command was taken; not at all where the call ends first. */
export function carryOut(control: MediaControlVerb, media: ControlledMedia, done: Done): CommandResult {
  const { leg, agent, handover, wishes, supervision } = media;
  if (control.type === 'dtmf') return press(control.digits, leg, done);
  // Of a caller who is with somebody else too.
  if (control.type === 'supervise') return supervision.supervise(control.leg, control.mode, later(done));
  if (control.type === 'unsupervise') return supervision.end(later(done));
  if (control.type === 'releaseLeg') {
    later(done)({ outcome: handover.release(control.legId) ? 'done' : 'failed' });
    return OK;
  }
  if (control.type === 'refuseTransfer') {
    wishes.refused(control.transferId, control.code);
    later(done)(DONE);
    return OK;
  }
  // Whom the agent has let go, or is letting go, it has nothing to do with.
  const dials = control.type === 'dialLeg' || control.type === 'consultLeg';
  const holds = control.type === 'hold' || control.type === 'unhold';
  const mayNow = (dials && handover.mayDial) || (holds && handover.mayHold);
  if (handover.refusal !== null && !mayNow) return refused(handover.refusal);
  switch (control.type) {
    case 'hold':
      return hold(true, leg, done);
    case 'unhold':
      return hold(false, leg, done);
    case 'say':
      return say(control, media, later(done));
    case 'announce':
      return announce(control.text, media, later(done));
    case 'dialLeg':
      if (mayBeHeld(leg)) return refused('on_hold');
      handover.dial(control.leg, later(done));
      return OK;
    case 'consultLeg':
      if (!agent.mayBeTold) return refused('no_agent');
      if (mayBeHeld(leg)) return refused('on_hold');
      handover.consult(control.leg, later(done));
      return OK;
    case 'refer':
      if (mayBeHeld(leg)) return refused('on_hold');
      if (control.fallback && leg.dialog?.peerAllows('REFER') !== true) return refused('no_refer');
      // Told before the end of a call that ends with it.
      handover.refer(control.leg, control.fallback, done);
      return OK;
    case 'instruct':
    case 'mute':
    case 'unmute':
      break;
  }
  if (!agent.mayBeTold) return refused('no_agent');
  if (control.type !== 'instruct') agent.mute(control.type === 'mute');
  else if (!agent.instruct(control.text)) return refused('too_many');
  later(done)(DONE);
  return OK;
}

function say(
  { text, interrupt }: ConversationControl & { type: 'say' },
  { leg, agent }: ControlledMedia,
  done: Done,
): CommandResult {
  if (!agent.mayBeTold) return refused('no_agent');
  if (isHeld(leg)) return refused('on_hold');
  const refusal = agent.say(text, { interrupt, onOutcome: (outcome) => done({ outcome }) });
  return refusal === null ? OK : refused(refusal);
}

/** Done when it was heard to its end; `superseded`: the peer had something to say first, or cut it off before a sound. */
function announce(text: string, { leg, agent }: ControlledMedia, done: Done): CommandResult {
  if (!agent.mayBeTold) return refused('no_agent');
  if (isHeld(leg)) return refused('on_hold');
  let outcome: CommandOutcome = 'superseded';
  const refusal = agent.say(text, {
    interrupt: true,
    onOutcome: (told) => (outcome = told),
    onOver: () => done({ outcome }),
  });
  return refusal === null ? OK : refused(refusal);
}

function hold(held: boolean, leg: Leg, done: Done): CommandResult {
  const changed = leg.putOnHold(held);
  if (!changed) return refused('too_many');
  void changed.then((result) => done(result.ok ? DONE : { outcome: 'failed', sipStatus: result.status }));
  return OK;
}

function press(digits: string, leg: Leg, done: Done): CommandResult {
  if (isHeld(leg)) return refused('on_hold');
  const pressed = leg.press(digits);
  if (pressed === null) return refused('no_telephone_event');
  pressed.then(
    () => done(DONE),
    () => done({ outcome: 'failed' }),
  );
  return OK;
}

function isHeld({ hold: { ours, theirs } }: Leg): boolean {
  return ours || theirs;
}

/** A hold that is agreed on while somebody is called would put its music in the place of the ringback. */
function mayBeHeld(leg: Leg): boolean {
  return isHeld(leg) || leg.holdChanging;
}

const refused = (code: CommandRefusal): CommandResult => ({ ok: false, code });

/** After the answer to the command. */
function later(done: Done): Done {
  return (effect) => queueMicrotask(() => done(effect));
}
