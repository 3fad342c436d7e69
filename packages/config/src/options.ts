import { engineOptions } from './engine-options.ts';
import type { OptionTable } from './option.ts';
import { outgoingOptions } from './outgoing-options.ts';
import { dataDir } from './shared-options.ts';

const logLevel = {
  kind: 'choice',
  flag: 'log-level',
  choices: ['debug', 'info', 'warn', 'error'],
  default: 'info',
  help: 'Least severe message to print',
} as const;

const logFormat = {
  kind: 'choice',
  flag: 'log-format',
  choices: ['auto', 'json', 'pretty'],
  default: 'auto',
  help: 'One JSON object a line, or text for people; auto: text on a terminal',
} as const;

/** `nowcast serve`. */
export const serveOptions = {
  dataDir,
  listen: {
    kind: 'text',
    flag: 'listen',
    placeholder: 'HOST',
    default: '127.0.0.1',
    help: 'Address to listen on; 0.0.0.0 or :: for every interface',
  },
  port: {
    kind: 'integer',
    flag: 'port',
    placeholder: 'P',
    min: 0,
    max: 65_535,
    default: 7070,
    help: 'Port to listen on; 0 picks a free one and prints it',
  },
  publicUrl: {
    kind: 'text',
    flag: 'public-url',
    placeholder: 'URL',
    help: 'Address people type, when it differs from listen and port; the only Origin then allowed besides the local ones',
  },
  tlsCert: {
    kind: 'text',
    flag: 'tls-cert',
    placeholder: 'FILE',
    help: 'Certificate chain (PEM); read again when the file changes or on SIGHUP',
  },
  tlsKey: {
    kind: 'text',
    flag: 'tls-key',
    placeholder: 'FILE',
    help: 'Private key (PEM) of the certificate',
  },
  allowPlainHttp: {
    kind: 'switch',
    flag: 'allow-plain-http',
    default: false,
    help: 'Serve without encryption beyond this machine; passwords and data cross the network in clear',
  },
  trustedProxies: {
    kind: 'list',
    flag: 'trusted-proxies',
    placeholder: 'NET,…',
    default: [],
    help: 'Networks (10.0.0.0/8) whose X-Forwarded-For, -Proto and -Host are believed',
  },
  maxConnections: {
    kind: 'integer',
    flag: 'max-connections',
    placeholder: 'N',
    min: 10,
    max: 1_000_000,
    default: 50_000,
    help: 'Open connections at most; further ones are closed at once',
  },
  maxConnectionsPerAddress: {
    kind: 'integer',
    flag: 'max-connections-per-address',
    placeholder: 'N',
    min: 1,
    max: 1_000_000,
    default: 4096,
    help: 'Open connections at most from one address (IPv6: one /64); trusted proxies are exempt',
  },
  drainSeconds: {
    kind: 'integer',
    flag: 'drain-seconds',
    placeholder: 'S',
    min: 0,
    max: 600,
    default: 5,
    help: 'Time in which viewers are asked to reconnect elsewhere when the server stops',
  },
  collector: {
    kind: 'switch',
    flag: 'collector',
    default: true,
    help: 'Measure this machine and the server itself once a second',
  },
  webDir: {
    kind: 'text',
    flag: 'web-dir',
    placeholder: 'DIR',
    help: 'The built page',
    defaultText: 'apps/web/dist of this installation',
  },
  ...outgoingOptions,
  ...engineOptions,
  logLevel,
  logFormat,
} as const satisfies OptionTable;

/** `nowcast setup`. */
export const setupOptions = {
  dataDir,
  tenant: {
    kind: 'text',
    flag: 'tenant',
    placeholder: 'T',
    required: true,
    flagOnly: true,
    help: 'Name of the organisation',
  },
  email: {
    kind: 'text',
    flag: 'email',
    placeholder: 'E',
    required: true,
    flagOnly: true,
    help: 'E-mail address of the owner',
  },
  username: {
    kind: 'text',
    flag: 'username',
    placeholder: 'U',
    required: true,
    flagOnly: true,
    help: 'Username of the owner',
  },
  name: {
    kind: 'text',
    flag: 'name',
    placeholder: 'N',
    flagOnly: true,
    help: 'Full name; default: the username',
  },
  passwordStdin: {
    kind: 'switch',
    flag: 'password-stdin',
    default: false,
    flagOnly: true,
    help: 'Read the password from the first line of standard input (required)',
  },
} as const satisfies OptionTable;

/** `nowcast key …`. */
export const keyOptions = {
  dataDir,
  name: { kind: 'text', flag: 'name', placeholder: 'N', flagOnly: true, help: 'What the key is for' },
  scopes: {
    kind: 'list',
    flag: 'scopes',
    placeholder: 'S,…',
    default: ['ingest'],
    flagOnly: true,
    help: 'What the key may do: ingest, read',
  },
  id: { kind: 'text', flag: 'id', placeholder: 'KEY_ID', flagOnly: true, help: 'Key to delete' },
  tenant: {
    kind: 'text',
    flag: 'tenant',
    placeholder: 'T',
    flagOnly: true,
    help: 'Organisation; needed when there are several',
  },
} as const satisfies OptionTable;

/** `nowcast user …`. */
export const userOptions = {
  dataDir,
  username: { kind: 'text', flag: 'username', placeholder: 'U', flagOnly: true, help: 'User to act on' },
  email: {
    kind: 'text',
    flag: 'email',
    placeholder: 'E',
    flagOnly: true,
    help: 'E-mail address of a new user',
  },
  name: { kind: 'text', flag: 'name', placeholder: 'N', flagOnly: true, help: 'Full name of a new user' },
  role: {
    kind: 'choice',
    flag: 'role',
    choices: ['viewer', 'editor', 'admin', 'owner'],
    default: 'viewer',
    flagOnly: true,
    help: 'Role of a new user, or the new role',
  },
  passwordStdin: {
    kind: 'switch',
    flag: 'password-stdin',
    default: false,
    flagOnly: true,
    help: 'Read the password from the first line of standard input',
  },
  tenant: {
    kind: 'text',
    flag: 'tenant',
    placeholder: 'T',
    flagOnly: true,
    help: 'Organisation; needed when there are several',
  },
} as const satisfies OptionTable;
