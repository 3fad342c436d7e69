import type { HistogramSnapshot } from '@nowcast/ports';

type Labels = Readonly<Record<string, string>>;

/** Builds the text of `GET /metrics` (Prometheus exposition format 0.0.4). Every name gets the prefix `nowcast_`. */
export class PrometheusText {
  readonly #families = new Map<string, { type: string; lines: string[] }>();

  counter(name: string, value: number, labels: Labels = {}): void {
    this.#line(name, 'counter', '', labels, value);
  }

  gauge(name: string, value: number, labels: Labels = {}): void {
    this.#line(name, 'gauge', '', labels, value);
  }

  histogram(name: string, snapshot: HistogramSnapshot, labels: Labels = {}): void {
    let cumulative = 0;
    for (const [i, count] of snapshot.counts.entries()) {
      cumulative += count;
      const bound = snapshot.bounds[i];
      const le = bound === undefined ? '+Inf' : String(bound);
      this.#line(name, 'histogram', '_bucket', { ...labels, le }, cumulative);
    }
    this.#line(name, 'histogram', '_sum', labels, snapshot.sum);
    this.#line(name, 'histogram', '_count', labels, cumulative);
  }

  #line(name: string, type: string, suffix: string, labels: Labels, value: number): void {
    const family = this.#families.get(name) ?? { type, lines: [] };
    this.#families.set(name, family);
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
    const set = pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
    family.lines.push(`nowcast_${name}${suffix}${set} ${Number.isFinite(value) ? value : 'NaN'}`);
  }

  toString(): string {
    let text = '';
    for (const [name, { type, lines }] of this.#families) {
      text += `# TYPE nowcast_${name} ${type}\n${lines.join('\n')}\n`;
    }
    return text;
  }
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
