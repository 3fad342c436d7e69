import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { AppError } from '@nowcast/kernel';
import { EmbeddedNowcast, metaStorePath } from '../embedded.ts';
import type { EngineOptions } from '../engine/options.ts';
import { createLogger } from '../log.ts';
import { version } from '../version.ts';
import { ApiClient } from './api-client.ts';
import { orFullDisk } from './full-disk.ts';
import { LocalServer } from './local-server.ts';
import type { CommandContext } from './output.ts';
import { withSocketPath } from './socket-path.ts';

/** What an engine that is started for a command is told. */
export type StartedEngine = Partial<Pick<EngineOptions, 'pastMs'>>;

/**
 * Runs `work` against the data folder's own API: the running server's when there is one, else that of an engine which
 * is started for this and stopped afterwards. No password or key is asked for; the folder's permissions decide.
 */
export async function withLocalApi<T>(
  dataDir: string,
  context: CommandContext,
  work: (api: ApiClient) => Promise<T>,
  engine: StartedEngine = {},
): Promise<T> {
  if (!existsSync(metaStorePath(dataDir))) {
    throw new AppError(
      'request.not_found',
      `there is no installation in ${dataDir}; give --data-dir, or run setup first`,
    );
  }
  return withSocketPath(dataDir, async (socketPath) => {
    if (await answers(socketPath)) return useApi(socketPath, work);
    return withStarted(dataDir, context, engine, () => useApi(socketPath, work));
  });
}

async function useApi<T>(socketPath: string, work: (api: ApiClient) => Promise<T>): Promise<T> {
  const api = new ApiClient({ socketPath });
  try {
    return await work(api);
  } finally {
    api.close();
  }
}

/** The log's lock refuses this while a server runs that does not answer on its socket, and says so. */
async function withStarted<T>(
  dataDir: string,
  context: CommandContext,
  engine: StartedEngine,
  work: () => Promise<T>,
): Promise<T> {
  const log = createLogger({
    level: 'error',
    format: 'pretty',
    write: context.note,
    now: () => Date.now(),
  });
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  const nowcast = new EmbeddedNowcast({
    dataDir,
    local: true,
    collector: false,
    messages: false,
    listen: '127.0.0.1',
    port: 0,
    publicUrl: undefined,
    tls: undefined,
    allowPlainHttp: false,
    trustedProxies: [],
    maxConnections: 10,
    maxConnectionsPerAddress: 10,
    drainMs: 0,
    directSend: undefined,
    webDir: dataDir,
    // How long things are kept is the server's to say; nothing is dropped meanwhile.
    engine: { ...engine, retention: { rawMs: Infinity, fineMs: Infinity, coarseMs: Infinity } },
    version,
    log,
    onFatal: (error) => failed.reject(error),
  });
  await nowcast.run().catch(async (error: unknown) => {
    throw await orFullDisk(error, dataDir);
  });
  const server = new LocalServer({ dataDir, nowcast, log });
  try {
    await server.run();
    return await Promise.race([work(), failed.promise]);
  } finally {
    await server.stop();
    await nowcast.stop();
  }
}

/** Whether somebody listens; a socket that a killed process left refuses. */
function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
