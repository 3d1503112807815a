/**
 * What is asked again and again is mostly what it was: a client may keep a list, and asks with its tag whether it still is
 * the same (RFC 9110 §13.1.2). That spares the way, and the client the reading; the list is read all the same, so that the
 * answer is never an old one. All other answers are kept by nobody: they show credentials, or a state that moves.
 */
import { hash } from 'node:crypto';
import type { Context } from 'koa';
import { z } from 'zod';
import type { Route } from './route';

/** By the client alone, and never used unasked (RFC 9111 §5.2.2.4, §5.2.2.7). */
const KEPT = 'private, no-cache';
const TAG_LENGTH = 22;

/** A bare array, or a page. */
export function isList({ method, response, csvAnswer }: Route): boolean {
  if (method !== 'get' || csvAnswer === true) return false;
  if (response instanceof z.ZodArray) return true;
  return response instanceof z.ZodObject && 'items' in response.shape && 'next' in response.shape;
}

/** The status is set. */
export function writeList(ctx: Context, body: unknown): void {
  // Once: it is hashed and sent.
  const bytes = Buffer.from(JSON.stringify(body));
  ctx.set({
    'Cache-Control': KEPT,
    // What another key is shown is another list.
    Vary: 'Authorization',
    ETag: `"${hash('sha256', bytes, 'base64url').slice(0, TAG_LENGTH)}"`,
  });
  ctx.type = 'application/json';
  ctx.body = bytes;
  if (ctx.fresh) ctx.status = 304;
}
