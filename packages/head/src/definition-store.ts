import type { SeriesDefinition } from '@nowcast/contract';
import { assert, GrowableUint32 } from '@nowcast/kernel';

/** Texts as small numbers: a million series share the names of their labels and most of their values. */
class TextTable {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];

  /** −1 for a text that was never added. */
  find(text: string): number {
    return this.#numbers.get(text) ?? -1;
  }

  add(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#texts.push(text) - 1;
      this.#numbers.set(text, number);
    }
    return number;
  }

  textOf(number: number): string {
    return this.#texts[number]!;
  }
}

/** Words of a definition before the values of its labels: its shape and its source. */
const headWords = 2;

/** What the series of a metric have in common: all but source and values. */
interface Shape {
  tenant: string;
  metric: string;
  /** Of the labels. */
  names: readonly string[];
}

/**
 * The definitions of series by handle, and handles by definition. As objects and strings a definition of three labels
 * takes half a kilobyte and a dozen things for the collector to follow; here it is five numbers in one array, and a
 * slot in a hash table.
 *
 * ```
 *  words   … │ shape source value value value │ …      starts[handle] is where it begins
 *  slots     handle + 1, at the hash of its words or behind; 0 where there is none
 * ```
 */
export class DefinitionStore {
  readonly #texts = new TextTable();
  readonly #shapes: Shape[] = [];
  readonly #shapeByName = new Map<string, number>();
  readonly #words = new GrowableUint32();
  readonly #starts = new GrowableUint32();
  #slots = new Uint32Array(1024);
  /** Words of the definition that is being looked for. */
  #wanted = new Uint32Array(64);

  get size(): number {
    return this.#starts.length;
  }

  /** Handle of the definition; −1 when there is none. */
  find(definition: SeriesDefinition): number {
    const shape = this.#shapeByName.get(shapeName(definition));
    if (shape === undefined || !this.#spell(shape, definition, (text) => this.#texts.find(text))) return -1;
    return this.#lookUp(headWords + definition.labels.length).handle;
  }

  /** Adds a definition that is new and returns its handle: one more than that of the one before. */
  add(definition: SeriesDefinition): number {
    this.#spell(this.#shapeOf(definition), definition, (text) => this.#texts.add(text));
    const length = headWords + definition.labels.length;
    const { handle: known, slot } = this.#lookUp(length);
    assert(known < 0, 'a definition is added once');
    const handle = this.size;
    this.#starts.push(this.#words.length);
    for (let i = 0; i < length; i++) this.#words.push(this.#wanted[i]!);
    this.#slots[slot] = handle + 1;
    if (this.size * 2 > this.#slots.length) this.#grow();
    return handle;
  }

  definitionOf(handle: number): SeriesDefinition {
    const at = this.#startOf(handle);
    const words = this.#words.array;
    const { tenant, metric, names } = this.#shapes[words[at]!]!;
    return {
      tenant,
      metric_type: metric,
      source: this.#texts.textOf(words[at + 1]!),
      labels: names.map((name, i): [string, string] => [
        name,
        this.#texts.textOf(words[at + headWords + i]!),
      ]),
    };
  }

  tenantOf(handle: number): string {
    return this.#shapes[this.#words.array[this.#startOf(handle)]!]!.tenant;
  }

  metricOf(handle: number): string {
    return this.#shapes[this.#words.array[this.#startOf(handle)]!]!.metric;
  }

  #startOf(handle: number): number {
    assert(handle >= 0 && handle < this.size, `handle ${handle} is not defined`);
    return this.#starts.array[handle]!;
  }

  #shapeOf(definition: SeriesDefinition): number {
    const key = shapeName(definition);
    let shape = this.#shapeByName.get(key);
    if (shape === undefined) {
      const { tenant, metric_type: metric, labels } = definition;
      shape = this.#shapes.push({ tenant, metric, names: labels.map(([name]) => name) }) - 1;
      this.#shapeByName.set(key, shape);
    }
    return shape;
  }

  /** Writes the words of a definition into `#wanted`; false when one of its texts has no number. */
  #spell(shape: number, { source, labels }: SeriesDefinition, numberOf: (text: string) => number): boolean {
    const length = headWords + labels.length;
    if (length > this.#wanted.length) this.#wanted = new Uint32Array(2 * length);
    this.#wanted[0] = shape;
    for (let i = 1; i < length; i++) {
      const number = numberOf(i === 1 ? source : labels[i - headWords]![1]);
      if (number < 0) return false;
      this.#wanted[i] = number;
    }
    return true;
  }

  /** The handle whose words are the first `length` of `#wanted`, or −1 and the slot where it belongs. */
  #lookUp(length: number): { handle: number; slot: number } {
    const mask = this.#slots.length - 1;
    let slot = hashOf(this.#wanted, 0, length) & mask;
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const handle = this.#slots[slot]! - 1;
      if (this.#isWanted(handle, length)) return { handle, slot };
    }
    return { handle: -1, slot };
  }

  #isWanted(handle: number, length: number): boolean {
    const words = this.#words.array;
    const start = this.#starts.array[handle]!;
    // Those of one shape are of one length, and the shape comes first.
    for (let i = 0; i < length; i++) if (words[start + i] !== this.#wanted[i]) return false;
    return true;
  }

  #grow(): void {
    const slots = new Uint32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    const words = this.#words.array;
    for (let handle = 0; handle < this.size; handle++) {
      const start = this.#starts.array[handle]!;
      let slot = hashOf(words, start, headWords + this.#shapes[words[start]!]!.names.length) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = handle + 1;
    }
    this.#slots = slots;
  }
}

/** Lengths keep the texts apart, whatever they contain. */
function shapeName({ tenant, metric_type: metric, labels }: SeriesDefinition): string {
  let name = `${tenant.length}:${tenant}${metric.length}:${metric}`;
  for (const [label] of labels) name += `${label.length}:${label}`;
  return name;
}

function hashOf(words: Uint32Array, start: number, length: number): number {
  let hash = length;
  for (let i = start; i < start + length; i++) {
    hash = Math.imul(hash ^ words[i]!, 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  return Math.imul(hash, 0xc2b2ae35) >>> 1;
}
