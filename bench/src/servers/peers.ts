import { join } from 'node:path';
import { debianPackages, goProgram, hasGo } from '../harness/cache.ts';
import { type BenchServer, startPeer } from '../harness/server-process.ts';

/** VictoriaMetrics 1.148 where Go can build it, else Debian's; `flags` are its own. */
export async function startVictoriaMetrics(
  folder?: string,
  flags: readonly string[] = [],
): Promise<BenchServer> {
  const file = hasGo()
    ? goProgram('github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics', 'v1.148.0')
    : join(debianPackages('victoria-metrics', ['victoria-metrics']), 'usr/bin/victoria-metrics');
  return startPeer(
    'victoria-metrics',
    (data, port) => ({
      file,
      args: [
        `-httpListenAddr=127.0.0.1:${port}`,
        `-storageDataPath=${join(data, 'data')}`,
        '-retentionPeriod=1y',
        ...flags,
      ],
    }),
    folder,
  );
}

/** Debian's InfluxDB, its write-ahead log fsynced before each answer as by default, with an empty database `bench`. */
export async function startInfluxDb(folder?: string): Promise<BenchServer> {
  const root = debianPackages('influxdb', ['influxdb']);
  const command = (data: string, port: number) => ({
    file: join(root, 'usr/bin/influxd'),
    args: ['run'],
    env: {
      HOME: data,
      INFLUXDB_BIND_ADDRESS: '127.0.0.1:0',
      INFLUXDB_HTTP_BIND_ADDRESS: `127.0.0.1:${port}`,
      INFLUXDB_HTTP_LOG_ENABLED: 'false',
      INFLUXDB_META_DIR: join(data, 'meta'),
      INFLUXDB_DATA_DIR: join(data, 'data'),
      INFLUXDB_DATA_WAL_DIR: join(data, 'wal'),
      // The defaults refuse more than 1 M series, and 100,000 values of a tag: one case has more, and its owner would raise them.
      INFLUXDB_DATA_MAX_SERIES_PER_DATABASE: '0',
      INFLUXDB_DATA_MAX_VALUES_PER_TAG: '0',
      INFLUXDB_DATA_QUERY_LOG_ENABLED: 'false',
      INFLUXDB_REPORTING_DISABLED: 'true',
    },
  });
  const server = await startPeer('influxdb', command, folder);
  const answer = await fetch(`http://127.0.0.1:${server.port}/query?q=CREATE%20DATABASE%20bench`, {
    method: 'POST',
  });
  if (!answer.ok) throw new Error(`influxdb: ${await answer.text()}`);
  return server;
}

/** A Node server that reads each body and forgets it: what no server in Node can do better than. */
export function startDropServer(): Promise<BenchServer> {
  return startBodyReader('drop');
}

/** The same, but looking at every byte: a floor that grows with the bytes, as ours does. */
export function startHashServer(): Promise<BenchServer> {
  return startBodyReader('hash');
}

function startBodyReader(what: 'drop' | 'hash'): Promise<BenchServer> {
  return startPeer(what, (_, port) => ({
    file: process.execPath,
    args: [join(import.meta.dirname, 'drop-server.ts'), String(port), what],
  }));
}
