import { engineOptions } from './engine-options.ts';
import type { OptionTable } from './option.ts';
import { dataDir } from './shared-options.ts';

const tenant = {
  kind: 'text',
  flag: 'tenant',
  placeholder: 'T',
  flagOnly: true,
  help: 'Organisation; needed without --url when there are several',
} as const;

/** How to reach a server, for commands that need not run on its machine. */
const serverOptions = {
  dataDir: {
    ...dataDir,
    help: 'The data to use when no --url is given; a server may be running on it or not; as a flag it wins over NOWCAST_URL',
  },
  url: {
    kind: 'text',
    flag: 'url',
    placeholder: 'URL',
    help: 'Server to use over the network instead of the data on this machine',
  },
  key: {
    kind: 'text',
    flag: 'key',
    placeholder: 'K',
    help: 'API key or session token for --url; the environment keeps it out of the process list',
  },
  login: {
    kind: 'text',
    flag: 'login',
    placeholder: 'L',
    help: 'E-mail address or username for --url, instead of a key',
  },
  passwordStdin: {
    kind: 'switch',
    flag: 'password-stdin',
    default: false,
    flagOnly: true,
    help: 'Read the password of --login from the first line of standard input',
  },
  tenant,
} as const satisfies OptionTable;

/** `nowcast backup`. */
export const backupOptions = {
  dataDir,
  to: {
    kind: 'text',
    flag: 'to',
    placeholder: 'FILE_OR_DIR',
    required: true,
    flagOnly: true,
    help: 'File to make, or a folder that gets one named after the time',
  },
} as const satisfies OptionTable;

/** `nowcast restore`. */
export const restoreOptions = {
  dataDir: { ...dataDir, help: 'Folder to restore into; must be empty or not exist' },
  from: {
    kind: 'text',
    flag: 'from',
    placeholder: 'FILE',
    required: true,
    flagOnly: true,
    help: 'A backup made by nowcast backup',
  },
} as const satisfies OptionTable;

/** `nowcast export`. */
export const exportOptions = {
  metric: {
    kind: 'text',
    flag: 'metric',
    placeholder: 'M',
    required: true,
    flagOnly: true,
    help: 'Metric to export',
  },
  from: {
    kind: 'text',
    flag: 'from',
    placeholder: 'T',
    flagOnly: true,
    defaultText: 'the oldest point',
    help: 'Epoch milliseconds, RFC 3339 or now-1h',
  },
  to: {
    kind: 'text',
    flag: 'to',
    placeholder: 'T',
    flagOnly: true,
    defaultText: 'the newest point',
    help: 'The same, exclusive',
  },
  where: {
    kind: 'texts',
    flag: 'where',
    placeholder: 'W',
    help: 'Only points whose label matches, as in GET /data: region:eu|us, host:!db-1, host:~web-.*; may be repeated',
    flagOnly: true,
  },
  format: {
    kind: 'choice',
    flag: 'format',
    choices: ['ndjson', 'csv'],
    default: 'ndjson',
    flagOnly: true,
    help: 'A JSON object a line, or a table',
  },
  output: {
    kind: 'text',
    flag: 'output',
    placeholder: 'F',
    flagOnly: true,
    defaultText: 'standard output',
    help: 'File to write; it has this name only once it is complete',
  },
  ...serverOptions,
} as const satisfies OptionTable;

/** `nowcast import FILE|-`. */
export const importOptions = {
  file: {
    kind: 'text',
    flag: 'file',
    placeholder: 'FILE|-',
    required: true,
    positional: true,
    flagOnly: true,
    help: 'File to send; - for standard input',
  },
  format: {
    kind: 'choice',
    flag: 'format',
    choices: ['auto', 'ndjson', 'csv', 'line-protocol'],
    default: 'auto',
    flagOnly: true,
    help: 'What the file holds; auto: by the end of its name, .ndjson, .jsonl, .csv, .lp or .influx',
  },
  precision: {
    kind: 'choice',
    flag: 'precision',
    choices: ['ns', 'us', 'ms', 's', 'm', 'h'],
    default: 'ns',
    flagOnly: true,
    help: 'Unit of the timestamps of line protocol',
  },
  coarseDays: {
    ...engineOptions.coarseDays,
    help: 'The same as for serve, where no server is running: points that are older are refused',
  },
  ...serverOptions,
} as const satisfies OptionTable;
