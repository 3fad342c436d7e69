import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { readSmtpSettings } from '@nowcast/adapter-outgoing';
import { parseOptions, serveOptions, type Settings } from '@nowcast/config';
import { AppError } from '@nowcast/kernel';
import { EmbeddedNowcast, type EmbeddedOptions, openDirectSend } from '../embedded.ts';
import { createLogger, type Logger } from '../log.ts';
import type { OutgoingSettings } from '../outgoing/stored-outgoing.ts';
import { version } from '../version.ts';
import { dataDirOf } from './data-dir.ts';
import { orFullDisk } from './full-disk.ts';
import { LocalServer } from './local-server.ts';
import type { CommandContext } from './output.ts';

/** `nowcast serve`: runs until it is told to stop. */
export async function serve(context: CommandContext): Promise<number> {
  collectWhenMemoryDoubled();
  const settings = parseOptions(serveOptions, context);
  const log = createLogger({
    level: settings.logLevel,
    format: settings.logFormat === 'auto' ? (context.interactive ? 'pretty' : 'json') : settings.logFormat,
    write: context.note,
    now: () => Date.now(),
  });
  const dataDir = dataDirOf(settings.dataDir, context.environment);
  try {
    return await serveData(dataDir, settings, context, log);
  } catch (error) {
    throw await orFullDisk(error, dataDir);
  }
}

async function serveData(
  dataDir: string,
  settings: Settings<typeof serveOptions>,
  context: CommandContext,
  log: Logger,
): Promise<number> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const stopped = Promise.withResolvers<number>();
  const directSend = await openDirectSend();
  log.debug('how frames are sent', { way: directSend?.way ?? 'streams' });
  const nowcast = new EmbeddedNowcast({
    ...embeddedOptions(settings, dataDir, log),
    directSend,
    onFatal: (error) => {
      log.error('the engine has failed; the server stops', { error });
      stopped.resolve(1);
    },
  });
  const started = performance.now();
  const unlisten = listenForSignals(nowcast, log, (code) => stopped.resolve(code));
  const running = nowcast.run().then(() => true);
  // A start may take long, and whoever ends it does not want to wait for that.
  if (!(await Promise.race([running, stopped.promise.then(() => false)]))) {
    const code = await stopped.promise;
    const ended = running.catch((error: unknown) => {
      // Told to stop, it could not but fail to start; otherwise why it failed is what people need to read.
      if (code !== 0) throw error;
    });
    await Promise.all([nowcast.stop(), ended]);
    unlisten();
    log.info('stopped while starting', { code });
    return code;
  }
  const code = await untilStopped({
    nowcast,
    dataDir,
    settings,
    context,
    log,
    started,
    stopped: stopped.promise,
  });
  unlisten();
  log.info('stopped', { code });
  return code;
}

/**
 * V8 collects the whole heap of a thread for every 64 MB of array memory that it made since, however soon that is gone:
 * at full load the pieces in which bodies arrive are as much several times a second. Counted with the heap, array
 * memory may grow as the heap may; and that is until it has doubled, because what V8 makes of the speed at which a heap
 * grows leaves array memory out, and allows a tenth. Holds for the threads that are started later, too.
 */
function collectWhenMemoryDoubled(): void {
  setFlagsFromString('--external-memory-accounted-in-global-limit');
  setFlagsFromString('--heap-growing-percent=100');
}

/** Says where it is and waits for the end. Stops all that runs whatever happens: what is left open keeps the process. */
async function untilStopped(server: {
  nowcast: EmbeddedNowcast;
  dataDir: string;
  settings: Settings<typeof serveOptions>;
  context: CommandContext;
  log: Logger;
  /** Of `performance.now()`. */
  started: number;
  stopped: Promise<number>;
}): Promise<number> {
  const { nowcast, dataDir, settings, context, log, started, stopped } = server;
  const local = await openLocalSocket(dataDir, nowcast, log);
  try {
    if (!settings.messages) log.warn('what alerts say is kept and not sent (--no-messages)');
    await greet(nowcast, settings, context);
    log.info('ready', {
      url: nowcast.server.url,
      data_dir: dataDir,
      version,
      ms: Math.round(performance.now() - started),
    });
    return await stopped;
  } finally {
    try {
      await local?.stop();
    } finally {
      await nowcast.stop();
    }
  }
}

/** Without it the server still serves; only commands that need it then say that they cannot reach it. */
async function openLocalSocket(
  dataDir: string,
  nowcast: EmbeddedNowcast,
  log: Logger,
): Promise<LocalServer | undefined> {
  const local = new LocalServer({ dataDir, nowcast, log: log.with({ part: 'local' }) });
  try {
    await local.run();
    return local;
  } catch (error) {
    await local.stop().catch(() => undefined);
    log.warn('no local socket: backup, export and import on this machine need the server stopped', { error });
    return undefined;
  }
}

function embeddedOptions(
  settings: Settings<typeof serveOptions>,
  dataDir: string,
  log: Logger,
): Omit<EmbeddedOptions, 'onFatal' | 'directSend'> {
  return {
    dataDir,
    listen: settings.listen,
    port: settings.port,
    publicUrl: readPublicUrl(settings.publicUrl),
    tls: readTls(settings.tlsCert, settings.tlsKey),
    allowPlainHttp: settings.allowPlainHttp,
    trustedProxies: settings.trustedProxies,
    maxConnections: settings.maxConnections,
    maxConnectionsPerAddress: settings.maxConnectionsPerAddress,
    drainMs: settings.drainSeconds * 1000,
    webDir: settings.webDir ?? join(import.meta.dirname, '../../../web/dist'),
    collector: settings.collector,
    messages: settings.messages,
    engine: engineSettings(settings),
    outgoing: outgoingSettings(settings),
    version,
    log,
  };
}

const dayMs = 86_400_000;

function engineSettings(settings: Settings<typeof serveOptions>): EmbeddedOptions['engine'] {
  return {
    partitions: settings.partitions,
    flushPoints: settings.flushPoints,
    flushAgeMs: settings.flushSeconds * 1000,
    hotPoints: settings.hotPoints,
    hotMs: settings.hotSeconds * 1000,
    hotStates: settings.hotStates,
    warmBytes: settings.warmMegabytes * 2 ** 20,
    seriesPerTenant: settings.seriesPerTenant,
    pastMs: Math.max(settings.rawDays, settings.coarseDays) * dayMs,
    retention: retentionOf(settings),
  };
}

/** Aggregates of an hour answer where finer ones are gone: kept for less, they would leave a hole in wide steps. */
function retentionOf(settings: Settings<typeof serveOptions>) {
  const { rawDays, fineDays, coarseDays } = settings;
  if (coarseDays < fineDays) {
    throw new AppError(
      'request.invalid',
      `--coarse-days is ${coarseDays} and --fine-days ${fineDays}; aggregates of an hour are kept at least as long as finer ones, so raise the one or lower the other`,
    );
  }
  return { rawMs: rawDays * dayMs, fineMs: fineDays * dayMs, coarseMs: coarseDays * dayMs };
}

function outgoingSettings(settings: Settings<typeof serveOptions>): OutgoingSettings {
  return {
    smtp: readSmtpSettings({
      url: settings.smtpUrl,
      password: settings.smtpPassword,
      passwordFile: settings.smtpPasswordFile,
      from: settings.mailFrom,
      allowPlain: settings.smtpAllowPlain,
    }),
    allowPrivate: settings.allowPrivateDestinations,
    allowPrivatePush: settings.allowPrivatePushServices,
    pushContact: settings.pushContact,
  };
}

function readPublicUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search !== '') {
    throw new AppError(
      'request.invalid',
      `--public-url is "${text}"; write for example https://nowcast.example.com`,
    );
  }
  return url.origin;
}

function readTls(cert: string | undefined, key: string | undefined): EmbeddedOptions['tls'] {
  if (cert === undefined && key === undefined) return undefined;
  if (cert !== undefined && key !== undefined) return { certFile: resolve(cert), keyFile: resolve(key) };
  throw new AppError('request.invalid', 'give both --tls-cert and --tls-key, or neither');
}

/** The lines a person needs: where it is, what to do first, and what is wrong with the way it was started. */
async function greet(
  nowcast: EmbeddedNowcast,
  settings: Settings<typeof serveOptions>,
  { print }: CommandContext,
): Promise<void> {
  const { server, access } = nowcast;
  print(`Nowcast is at ${server.url}\n`);
  for (const url of server.otherUrls) print(`On this network: ${url}\n`);
  const token = await access.logins.newSetupToken();
  if (token !== undefined) {
    print(`First run: open ${server.url}/setup?token=${token}\n`);
    print('The link works once and makes you the owner. A restart prints a new one.\n');
  }
  if (!server.encrypted && settings.allowPlainHttp && settings.publicUrl?.startsWith('https:') !== true) {
    print('WARNING: no encryption (--allow-plain-http). Passwords and data can be read on the network.\n');
  }
  if (!server.pageIsBuilt) print('The page is not built: run bin/start, or "npm run build:web".\n');
}

/**
 * The first SIGTERM or SIGINT drains and stops; the second ends the process at once. SIGHUP reads the certificate
 * again. Returns how to stop listening.
 */
function listenForSignals(nowcast: EmbeddedNowcast, log: Logger, exit: (code: number) => void): () => void {
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info('stopping', { signal });
    void drain(nowcast, log).then(exit);
  };
  const reload = (): void => nowcast.server.reloadCertificate();
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', reload);
  return () => {
    process.off('SIGTERM', stop);
    process.off('SIGINT', stop);
    process.off('SIGHUP', reload);
  };
}

async function drain(nowcast: EmbeddedNowcast, log: Logger): Promise<number> {
  try {
    await nowcast.drain();
    return 0;
  } catch (error) {
    log.error('could not drain', { error });
    return 1;
  }
}
