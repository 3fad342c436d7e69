import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { dataFolder, debianPackages, linkFromSystem } from '../harness/cache.ts';
import { startPeer } from '../harness/server-process.ts';

export interface Prometheus {
  /** Of both processes. */
  pids: number[];
  /** Sets the value that a host shows at the next scrape. */
  set(host: number, value: number): void;
  destroy(): Promise<void>;
}

/**
 * Debian's Prometheus and Alertmanager, as quick as their settings go in whole seconds: scraped and evaluated every
 * second, sent without waiting for a group. A rule for each host, above 1000.
 */
export async function startPrometheus(hosts: number, webhook: string): Promise<Prometheus> {
  const values = new Float64Array(hosts).fill(50);
  const exporter = createServer((_, response) =>
    response.end(Array.from(values, (value, host) => `bench_value{host="web-${host}"} ${value}\n`).join('')),
  );
  await new Promise<void>((resolve) => exporter.listen(0, '127.0.0.1', resolve));
  const target = `127.0.0.1:${(exporter.address() as AddressInfo).port}`;
  const root = debianPackages('prometheus', ['prometheus', 'prometheus-alertmanager']);
  linkFromSystem(root, '/usr/share/prometheus/alertmanager');

  const manager = await startPeer('alertmanager', (folder, port) => {
    const config = join(folder, 'alertmanager.yml');
    writeFileSync(
      config,
      `route: {receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: hook, webhook_configs: [{url: '${webhook}', send_resolved: false}]}]
`,
    );
    const args = [`--config.file=${config}`, `--storage.path=${folder}`, '--cluster.listen-address='];
    return {
      file: join(root, 'usr/bin/prometheus-alertmanager'),
      args: [...args, `--web.listen-address=127.0.0.1:${port}`],
    };
  });

  const folder = dataFolder('prometheus');
  const rules = Array.from(
    { length: hosts },
    (_, host) => `  - {alert: Host${host}Above, expr: 'bench_value{host="web-${host}"} > 1000'}`,
  );
  writeFileSync(join(folder, 'rules.yml'), `groups:\n- name: bench\n  rules:\n${rules.join('\n')}\n`);
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs: [{job_name: bench, static_configs: [{targets: ['${target}']}]}]
alerting: {alertmanagers: [{static_configs: [{targets: ['127.0.0.1:${manager.port}']}]}]}
`,
  );
  const server = await startPeer(
    'prometheus',
    (data, port) => ({
      file: join(root, 'usr/bin/prometheus'),
      args: [
        `--config.file=${join(data, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(data, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
    }),
    folder,
  );
  return {
    pids: [server.pid, manager.pid],
    set: (host, value) => (values[host] = value),
    destroy: async () => {
      await server.destroy();
      await manager.destroy();
      exporter.closeAllConnections();
      exporter.close();
    },
  };
}
