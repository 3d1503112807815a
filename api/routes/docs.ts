/** `/openapi.json` and Swagger UI from the package's own files: nothing is loaded from elsewhere. */
import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { ApiError } from '../errors';
import type { OpenApiDocument } from '../openapi';
import type { TableRoute } from '../route-table';

/** The package has no types of its own; its folder is all that is needed of it. */
const ASSET_FOLDER = dirname(require.resolve('swagger-ui-dist/package.json'));

const ASSETS: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
  'favicon-32x32.png': 'image/png',
};

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Trunkline API</title>
    <link rel="icon" href="/docs/favicon-32x32.png">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true });\n`;

export function docsRoutes(document: OpenApiDocument): readonly TableRoute[] {
  const json = JSON.stringify(document);
  const tag = `"${hash('sha256', json, 'base64url')}"`;
  const assets = new Map<string, Promise<Buffer>>();
  const page = (path: string, handle: TableRoute['handle']): TableRoute => ({ method: 'get', path, handle });
  return [
    page('/openapi.json', (ctx) => {
      // Half a megabyte that changes with a release: whoever has it asks whether it is still the same (RFC 9110 §13.1.2).
      ctx.set({ ETag: tag, 'Cache-Control': 'no-cache' });
      ctx.status = 200;
      if (ctx.fresh) {
        ctx.status = 304;
        return;
      }
      ctx.type = 'application/json';
      ctx.body = json;
    }),
    page('/docs', (ctx) => {
      ctx.set('Content-Security-Policy', "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:");
      ctx.type = 'text/html';
      ctx.body = PAGE;
    }),
    page('/docs/start.js', (ctx) => {
      ctx.type = 'text/javascript';
      ctx.body = START;
    }),
    page('/docs/{file}', async (ctx, { file = '' }) => {
      const type = Object.hasOwn(ASSETS, file) ? ASSETS[file] : undefined;
      if (type === undefined) throw new ApiError(404, 'route_not_found', 'No such route');
      ctx.type = type;
      ctx.set('Cache-Control', 'public, max-age=86400');
      // Read once: a megabyte for each of many slow readers would be theirs to fill the memory with.
      const content = assets.get(file) ?? readFile(join(ASSET_FOLDER, file));
      assets.set(file, content);
      content.catch(() => assets.delete(file));
      ctx.body = await content;
    }),
  ];
}
