/**
 * What the decoders remember, by tenant, within a budget. Dropping it costs the next request of that tenant a slower
 * read and nothing else, so the rule is simple: whoever has grown too large starts anew, and when all together have,
 * those used longest ago go first.
 */
import { JsonTemplates, type TemplateSets } from './json-templates.ts';
import { LineSeries } from './line-series.ts';

const mebibyte = 1024 * 1024;
const tenantBytes = 192 * mebibyte;
const totalBytes = 512 * mebibyte;

export interface DecodeCache {
  lines: LineSeries;
  templates: TemplateSets;
}

export class DecodeCaches {
  /** In order of use, the latest last. */
  readonly #caches = new Map<string, DecodeCache>();

  /** The tenant's cache, for the length of one request. */
  of(tenant: string): DecodeCache {
    let cache = this.#caches.get(tenant);
    if (cache === undefined || sizeOf(cache) > tenantBytes) {
      const templates = { json: new JsonTemplates(), ndjson: new JsonTemplates() };
      cache = { lines: new LineSeries(), templates };
      this.#caches.set(tenant, cache);
    }
    if (this.#caches.size > 1) {
      this.#caches.delete(tenant);
      this.#caches.set(tenant, cache);
      this.#trim();
    }
    return cache;
  }

  #trim(): void {
    let total = 0;
    for (const cache of this.#caches.values()) total += sizeOf(cache);
    for (const [tenant, cache] of this.#caches) {
      if (total <= totalBytes || this.#caches.size === 1) return;
      total -= sizeOf(cache);
      this.#caches.delete(tenant);
    }
  }
}

function sizeOf(cache: DecodeCache): number {
  return cache.lines.size + cache.templates.json.size + cache.templates.ndjson.size;
}
