import { type exportOptions, type OptionTable, parseOptions, type Settings } from '@nowcast/config';
import { appError, type LoginAnswer } from '@nowcast/contract';
import { ApiClient } from './api-client.ts';
import { dataDirOf } from './data-dir.ts';
import { operatorOf, withLocalAccess } from './local-access.ts';
import { type StartedEngine, withLocalApi } from './local-session.ts';
import type { CommandContext } from './output.ts';

/** Options that say which server a command works with. */
export type RemoteSettings = Pick<
  Settings<typeof exportOptions>,
  'dataDir' | 'url' | 'key' | 'login' | 'passwordStdin' | 'tenant'
>;

/**
 * The settings of a command that works with a server or with the data on this machine. What is typed wins: beside
 * `--data-dir` a NOWCAST_URL of the environment means nothing, nor do its key and login without a server, or beside a
 * `--key` or `--login`.
 */
export function parseRemoteOptions<T extends OptionTable>(
  table: T,
  { args, environment }: CommandContext,
): Settings<T> {
  const gives = (flag: string): boolean =>
    args.some((arg) => arg === `--${flag}` || arg.startsWith(`--${flag}=`));
  const { NOWCAST_URL: url = '', NOWCAST_KEY: key, NOWCAST_LOGIN: login, ...others } = environment;
  const isRemote = gives('url') || (url !== '' && !gives('data-dir'));
  const who = gives('key') || gives('login') ? {} : { NOWCAST_KEY: key, NOWCAST_LOGIN: login };
  return parseOptions(table, {
    args,
    environment: isRemote ? { ...others, ...who, NOWCAST_URL: url } : others,
  });
}

/**
 * Runs `work` with the API of a server: over the network as a key or a person, or, without `--url`, of the data on
 * this machine as its operator.
 */
export async function withApi<T>(
  settings: RemoteSettings,
  context: CommandContext,
  work: (api: ApiClient) => Promise<T>,
  engine: StartedEngine = {},
): Promise<T> {
  if (settings.url !== undefined) return overNetwork(settings, readUrl(settings.url), context, work);
  for (const name of ['key', 'login'] as const)
    if (settings[name] !== undefined)
      throw appError('request.invalid', `--${name} goes with --url; the data on this machine needs neither`);
  const dataDir = dataDirOf(settings.dataDir, context.environment);
  const { tenant_id } = await withLocalAccess(dataDir, ({ store }) => operatorOf(store, settings.tenant));
  const ofTenant = (api: ApiClient): Promise<T> => {
    api.token = tenant_id;
    return work(api);
  };
  return withLocalApi(dataDir, context, ofTenant, engine);
}

async function overNetwork<T>(
  { key, login, passwordStdin, tenant }: RemoteSettings,
  url: URL,
  context: CommandContext,
  work: (api: ApiClient) => Promise<T>,
): Promise<T> {
  if (tenant !== undefined)
    throw appError(
      'request.invalid',
      '--tenant goes without --url; a key or a login says which organisation',
    );
  const api = new ApiClient({ url });
  try {
    if (key !== undefined && login !== undefined)
      throw appError('request.invalid', '--key and --login are given; keep one');
    if (key !== undefined) api.token = key;
    else if (login !== undefined && passwordStdin) await signIn(api, login, context);
    else
      throw appError(
        'request.invalid',
        'say who you are: --key (or NOWCAST_KEY), or --login with --password-stdin',
      );
    return await work(api);
  } finally {
    api.close();
  }
}

async function signIn(api: ApiClient, login: string, context: CommandContext): Promise<void> {
  const [password = ''] = (await context.readInput()).split(/\r?\n/, 1);
  const answer = await api.json({
    method: 'POST',
    path: '/login',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify({ login, password })),
  });
  api.token = (answer as LoginAnswer).token;
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.search === '') return url;
  throw appError('request.invalid', `--url is "${text}"; write for example https://nowcast.example.com`);
}
