/** What main thread and RTP thread say to each other; both directions are arrays, so that a tick costs one message. */
import type { MessagePort } from 'node:worker_threads';
import type { SuperviseMode } from '../../contract/supervision';
import type { Background } from '../audio/background';
import type { RtpErrorCode } from './rtp-error';
import type { RtpRemote, RtpSessionOptions, RtpStats } from './rtp-session';

export interface RtpThreadOptions {
  readonly portMin: number;
  readonly portMax: number;
  /** May SDP name private addresses? Default true. */
  readonly allowPrivateTargets?: boolean;
  /** Pairs of sockets that are bound ahead at most, for each local address. Default 0: a call that is over leaves no port open. */
  readonly portsAhead?: number;
}

export type ToRtpThread =
  | {
      readonly type: 'open';
      readonly request: number;
      readonly mediaId: number;
      readonly options: RtpSessionOptions;
    }
  /** The same on a port that was prepared, which needs no answer. */
  | {
      readonly type: 'adopt';
      readonly mediaId: number;
      readonly port: number;
      readonly options: RtpSessionOptions;
    }
  | { readonly type: 'remote'; readonly mediaId: number; readonly remote: RtpRemote }
  | {
      readonly type: 'play';
      readonly mediaId: number;
      readonly playbackId: number;
      readonly pcm: Int16Array;
      readonly last: boolean;
    }
  | { readonly type: 'digits'; readonly request: number; readonly mediaId: number; readonly digits: string }
  | { readonly type: 'clear'; readonly request: number; readonly mediaId: number }
  | { readonly type: 'gain'; readonly mediaId: number; readonly gain: number }
  | { readonly type: 'echo'; readonly mediaId: number }
  | { readonly type: 'connect'; readonly mediaId: number; readonly otherId: number }
  | { readonly type: 'disconnect'; readonly mediaId: number }
  | {
      readonly type: 'supervise';
      readonly mediaId: number;
      readonly otherId: number;
      readonly mode: SuperviseMode;
    }
  | { readonly type: 'background'; readonly mediaId: number; readonly source: Background | null }
  | { readonly type: 'pause' | 'listen'; readonly mediaId: number; readonly on: boolean }
  | { readonly type: 'close'; readonly request: number; readonly mediaId: number }
  | { readonly type: 'listener'; readonly port: MessagePort }
  | { readonly type: 'stop'; readonly request: number };

export type RtpReply =
  | { readonly kind: 'opened'; readonly localPort: number }
  | { readonly kind: 'cleared'; readonly samples: ReadonlyMap<number, number> }
  /** The last key was sent. */
  | { readonly kind: 'digits' }
  | { readonly kind: 'stats'; readonly stats: RtpStats }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'error'; readonly code: RtpErrorCode; readonly message: string };

/** News of one session. */
export type RtpSessionNews = Exclude<FromRtpThread, { type: 'reply' | 'fault' | 'graph' | 'prepared' }>;

export type FromRtpThread =
  | { readonly type: 'reply'; readonly request: number; readonly reply: RtpReply }
  | { readonly type: 'dtmf'; readonly mediaId: number; readonly digit: string; readonly durationMs: number }
  | { readonly type: 'firstSent'; readonly mediaId: number; readonly atEpochMs: number }
  | { readonly type: 'firstReceived'; readonly mediaId: number; readonly atEpochMs: number }
  | { readonly type: 'finished'; readonly mediaId: number; readonly playbackId: number }
  | { readonly type: 'timeout'; readonly mediaId: number }
  | { readonly type: 'quiet'; readonly mediaId: number; readonly quiet: boolean }
  | { readonly type: 'deaf'; readonly mediaId: number; readonly packetsForeign: number }
  /** The port is bound: a session may adopt it. */
  | { readonly type: 'prepared'; readonly localAddress: string; readonly port: number }
  /** Who is joined to whom, and what each has to send and to be heard by, after a change. */
  | { readonly type: 'graph'; readonly graph: string }
  /** Errors of ours have ended this session. */
  | { readonly type: 'failed'; readonly mediaId: number }
  /** An error of ours in the work for one session (null: for all); of packets and frames the first of a session. */
  | { readonly type: 'fault'; readonly mediaId: number | null; readonly message: string };
