import { createHash } from 'node:crypto';
import { querySchema } from '@nowcast/contract';
import type { ParameterDoc, Route } from '../http/route.ts';
import { jsonSchema } from '../http/schema.ts';

/** OpenAPI 3.1 made from the route table and the contract's schemas, so that it cannot lag behind either. */
export function openApiDocument(routes: readonly Route[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of described(routes)) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Nowcast',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description:
        'Names are snake_case; times are epoch milliseconds out, and also RFC 3339 or now-15m in. Every failed call answers with ErrorBody: its code is stable, its message says what to change.',
    },
    paths,
    components: {
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: '__Host-nowcast' },
        bearer: { type: 'http', scheme: 'bearer', description: 'A session token or an API key (nk_…)' },
      },
      // What the socket's `subscribe` takes; `GET /data` has the same as parameters.
      schemas: { ErrorBody: errorSchema, Query: jsonSchema(querySchema) },
    },
  };
}

/** Routes that are part of the public API. */
function described(routes: readonly Route[]): (Route & { summary: string })[] {
  return routes.filter((route): route is Route & { summary: string } => route.summary !== undefined);
}

function operation(route: Route & { summary: string }): Record<string, unknown> {
  const parameters = [
    ...[...route.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    })),
    ...Object.entries(route.parameters ?? {}).map(([name, doc]) => queryParameter(name, doc)),
  ];
  const responses: Record<string, unknown> = {
    default: {
      description: 'ErrorBody',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/ErrorBody' } } },
    },
  };
  for (const [status, description] of Object.entries(route.answers ?? {}))
    responses[status] = { description };
  return {
    summary: route.summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...requestBody(route),
    responses,
    ...(route.access === 'public' ? {} : { security: [{ session: [] }, { bearer: [] }] }),
  };
}

/** Repeated ones are arrays written `where=…&where=…`, which is how OpenAPI explodes a form by default. */
function queryParameter(name: string, doc: ParameterDoc): Record<string, unknown> {
  const { text, required, repeated } = typeof doc === 'string' ? { text: doc } : doc;
  return {
    name,
    in: 'query',
    description: text,
    ...(required === true ? { required } : {}),
    schema: repeated === true ? { type: 'array', items: { type: 'string' } } : { type: 'string' },
  };
}

function requestBody(route: Route): Record<string, unknown> {
  const { body } = route;
  if (body.kind === 'none') return {};
  const description = `At most ${body.capBytes} bytes`;
  if (body.kind === 'bytes') return { requestBody: { description, content: { '*/*': {} } } };
  const schema = jsonSchema(body.schema);
  return { requestBody: { description, required: true, content: { 'application/json': { schema } } } };
}

const errorSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'number', 'message', 'retryable'],
      properties: {
        code: { type: 'string', description: 'Stable, such as request.invalid' },
        number: { type: 'integer', description: 'The same as a number' },
        message: { type: 'string', description: 'What to change' },
        retryable: { type: 'boolean', description: 'Whether the same call may succeed later' },
        details: { type: 'object' },
      },
    },
  },
};

/** The same for people: one page, no script. */
export function docsPage(
  routes: readonly Route[],
  version: string,
  escape: (text: string) => string,
): string {
  const sections = described(routes).map((route) => {
    const answers = Object.entries(route.answers ?? {}).map(
      ([status, text]) => `<li><code>${status}</code> ${escape(text)}</li>`,
    );
    const parameters = Object.entries(route.parameters ?? {}).map(
      ([name, doc]) =>
        `<tr><td><code>${escape(name)}</code></td><td>${escape(typeof doc === 'string' ? doc : doc.text)}</td></tr>`,
    );
    const body =
      route.body.kind === 'json' ? JSON.stringify(jsonSchema(route.body.schema), null, 2) : undefined;
    const needs = typeof route.access === 'string' ? route.access : route.access.loopbackOr;
    return [
      `<section><h2><b>${route.method}</b> ${escape(route.path)}</h2>`,
      `<p>${escape(route.summary)}. <small>Needs: ${needs === 'public' ? 'nothing' : escape(needs)}</small></p>`,
      parameters.length === 0 ? '' : `<table>${parameters.join('')}</table>`,
      answers.length === 0 ? '' : `<ul>${answers.join('')}</ul>`,
      body === undefined
        ? ''
        : `<details><summary>Body (JSON Schema)</summary><pre>${escape(body)}</pre></details>`,
      '</section>',
    ].join('\n');
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<title>Nowcast API</title>
<style>${docsStyle}</style>
</head>
<body>
<main>
<h1>Nowcast API <small>${escape(version)}</small></h1>
<p>Machine-readable: <a href="/api/openapi.json">openapi.json</a> (OpenAPI 3.1). Sign in with a session cookie,
or send <code>Authorization: Bearer</code> with a session token or an API key.</p>
${sections.join('\n')}
</main>
</body>
</html>
`;
}

const docsStyle = `
:root { --bg: #f5f7fa; --panel: #fff; --line: #dfe4ea; --text: #161b22; --muted: #525d6b; --accent: #1d4fd8 }
@media (prefers-color-scheme: dark) {
  :root { --bg: #0c0f14; --panel: #14181f; --line: #2a323e; --text: #e8ecf2; --muted: #a3aebd; --accent: #8ab4ff }
}
body { margin: 0; background: var(--bg); color: var(--text); font: 14px/20px Inter, system-ui, sans-serif }
main { max-width: 860px; margin: 0 auto; padding: 24px 16px 48px }
h1 { font-size: 20px; line-height: 28px } h2 { font-size: 14px; line-height: 20px; margin: 0; overflow-wrap: anywhere }
small { color: var(--muted); font-weight: 400 } a, h2 b { color: var(--accent) }
section { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 12px; margin: 12px 0 }
p { margin: 4px 0 } ul { margin: 4px 0; padding-left: 20px } td { padding: 2px 12px 2px 0; vertical-align: top }
pre { overflow: auto; font-size: 12px; line-height: 16px }`;

/** Allows the page its one style sheet, by hash, and nothing else. */
export const docsPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(docsStyle).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
