/** Between the main thread and the speech thread. */
import type { MessagePort } from 'node:worker_threads';
import type { StopRequest } from '../stop-thread';
import type { VadEvent } from './voice-activity';

export type SpeechCommand =
  | StopRequest
  | { readonly type: 'audio'; readonly port: MessagePort }
  | { readonly type: 'open'; readonly mediaId: number }
  | { readonly type: 'close'; readonly mediaId: number }
  | { readonly type: 'commit'; readonly mediaId: number }
  | { readonly type: 'utterance'; readonly mediaId: number; readonly requestId: number };

export type SpeechReport =
  | { readonly type: 'ready'; readonly detector: string; readonly fallbackBecause: string | null }
  | { readonly type: 'events'; readonly events: readonly VadEvent[] }
  | { readonly type: 'utterance'; readonly requestId: number; readonly pcm: Int16Array };
