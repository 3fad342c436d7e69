import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { AccessService } from '@nowcast/access';
import type { DeliveryRepository, Engine } from '@nowcast/ports';
import type { Listener } from '../http/listener.ts';
import type { Gateway } from '../ws/gateway.ts';
import { delayBoundsMs, Histogram, requestBoundsSeconds } from './histogram.ts';
import { PrometheusText } from './prometheus.ts';

/** What the HTTP side counts about itself; the rest is asked of its owners when somebody wants to know. */
export class ServerMetrics {
  /** Receipt of a point until the frame that carries it was written to every viewer who keeps up. */
  readonly eventToFrameMs = new Histogram(delayBoundsMs);
  /** Receipt of the point that decided an alert until its message was handed to the first way out. */
  readonly eventToChannelMs = new Histogram(delayBoundsMs);
  readonly #loop = monitorEventLoopDelay({ resolution: 10 });
  readonly #requests = new Map<string, { labels: Record<string, string>; histogram: Histogram }>();

  constructor() {
    this.#loop.enable();
  }

  observeRequest(request: { method: string; path: string; status: number; seconds: number }): void {
    const { method, path, status, seconds } = request;
    const key = `${method} ${path} ${status}`;
    let entry = this.#requests.get(key);
    if (entry === undefined) {
      entry = {
        labels: { method, path, status: String(status) },
        histogram: new Histogram(requestBoundsSeconds),
      };
      this.#requests.set(key, entry);
    }
    entry.histogram.observe(seconds);
  }

  /** Everything, as `GET /metrics` shows it. */
  async render(parts: {
    engine: Engine;
    gateway: Gateway;
    access: AccessService;
    listener: Listener;
    deliveryCounts: DeliveryRepository['counts'];
  }): Promise<string> {
    const text = new PrometheusText();
    const engine = await parts.engine.stats();
    for (const [name, value] of Object.entries(engine.counters)) text.counter(name, value);
    for (const [name, value] of Object.entries(engine.gauges)) text.gauge(name, value);
    for (const [name, value] of Object.entries(engine.histograms)) text.histogram(name, value);
    text.histogram('event_to_frame_ms', this.eventToFrameMs.snapshot());
    text.histogram('event_to_channel_ms', this.eventToChannelMs.snapshot());
    for (const [status, count] of Object.entries(await parts.deliveryCounts()))
      text.gauge('deliveries', count, { status });
    renderGateway(text, parts.gateway);
    for (const { labels, histogram } of this.#requests.values()) {
      text.histogram('http_request_seconds', histogram.snapshot(), labels);
    }
    const { connections, refused } = parts.listener.stats();
    text.gauge('connections', connections);
    text.counter('connections_refused_total', refused);
    const access = parts.access.stats();
    text.counter('password_checks_total', access.password_checks);
    text.gauge('password_checks_waiting', access.password_checks_waiting);
    text.gauge('password_checks_peak', access.password_checks_peak);
    text.counter('credential_reads_total', access.credential_reads);
    renderProcess(text);
    // Since the last look: how long work that was due had to wait for the main thread.
    text.gauge('event_loop_delay_ms', this.#loop.percentile(99) / 1e6, { quantile: '0.99' });
    text.gauge('event_loop_delay_ms', this.#loop.max / 1e6, { quantile: '1' });
    this.#loop.reset();
    return text.toString();
  }
}

function renderGateway(text: PrometheusText, gateway: Gateway): void {
  const stats = gateway.stats();
  text.gauge('viewers', stats.viewers);
  text.gauge('followers', stats.followers);
  text.gauge('subscriptions', stats.subscriptions);
  text.gauge('shared_views', stats.views);
  text.gauge('cohorts', stats.cohorts);
  text.gauge('staleness_ms', stats.stalenessP99Ms, { quantile: '0.99' });
  text.gauge('staleness_ms', stats.stalenessMaxMs, { quantile: '1' });
  text.counter('frames_sent_total', stats.frames);
  text.counter('socket_writes_total', stats.writes);
  text.counter('bytes_sent_total', stats.bytes);
  text.counter('viewer_stalls_total', stats.stalls);
}

function renderProcess(text: PrometheusText): void {
  const memory = process.memoryUsage();
  const cpu = process.cpuUsage();
  text.gauge('process_resident_memory_bytes', memory.rss);
  text.gauge('process_heap_used_bytes', memory.heapUsed);
  text.gauge('process_external_memory_bytes', memory.external);
  text.counter('process_cpu_seconds_total', cpu.user / 1e6, { mode: 'user' });
  text.counter('process_cpu_seconds_total', cpu.system / 1e6, { mode: 'system' });
  text.gauge('process_uptime_seconds', process.uptime());
}
