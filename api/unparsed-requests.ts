/** What Node's HTTP parser refuses before there is a request, or while its body comes: an answer like every other error. */
import { randomUUID } from 'node:crypto';
import type { Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import { ApiError, errorAnswer, REASON_PHRASES } from './errors';

export function answerUnparsed(server: Server): void {
  const answers = new WeakMap<Duplex, ServerResponse>();
  server.on('request', (request, response) => void answers.set(request.socket, response));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const response = answers.get(socket);
    const underWay = response !== undefined && response.headersSent && !response.writableFinished;
    // Into the middle of another answer nothing can be written.
    if (!socket.writable || underWay) socket.destroy(error);
    else socket.end(textOf(refusalOf(error.code)), () => socket.destroy());
  });
}

function refusalOf(code: string | undefined): ApiError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new ApiError(431, 'request_headers_too_large', 'Path, query and headers take up to 16 KB together');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new ApiError(413, 'body_too_large', 'The extensions of a chunk are too large');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ApiError(408, 'request_timeout', 'The request did not arrive in time');
    default:
      return new ApiError(400, 'malformed_request', 'This is no HTTP request');
  }
}

/** RFC 9112 §9.6: nothing that follows on this connection can be told from the rest of what was refused. */
function textOf(error: ApiError): string {
  const requestId = randomUUID();
  const body = JSON.stringify(errorAnswer(error, requestId));
  return [
    `HTTP/1.1 ${error.status} ${REASON_PHRASES[error.status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    `X-Request-Id: ${requestId}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
