/**
 * The language that numbers and dates are written in. The words of the page are English; a person may still read
 * 1.234,5 and "12. Nov.". Kept outside React, because charts format thousands of numbers where no component is near.
 */
import type { Preferences } from '@nowcast/contract';

export type NumberFormat = Preferences['number_format'];

/** Languages whose numbers look like the choice; what else they differ in does not show in a number. */
const numberLocales: Record<Exclude<NumberFormat, 'locale'>, string> = {
  comma_dot: 'en',
  dot_comma: 'de',
  space_comma: 'fr',
  apostrophe_dot: 'de-CH',
};

let chosen = { dates: 'en-GB', numbers: 'en' };
/** Moves when the choice changes: caches of formats made before are then of no use. */
let revision = 0;

/** The tag itself if this browser knows it, else the browser's own language. */
function knownLocale(tag: string): string {
  const own = navigator.language;
  if (tag === 'browser' || tag === '') return own;
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? own;
  } catch {
    return own;
  }
}

export function setLocale({
  locale,
  number_format: numbers,
}: Pick<Preferences, 'locale' | 'number_format'>): void {
  const dates = knownLocale(locale);
  const next = { dates, numbers: numbers === 'locale' ? dates : numberLocales[numbers] };
  if (next.dates === chosen.dates && next.numbers === chosen.numbers) return;
  chosen = next;
  revision += 1;
}

/** `make` is called once for each `id`, and again after the choice has changed. */
export function formatCache<Id, Format>(make: (id: Id, locale: typeof chosen) => Format): (id: Id) => Format {
  const formats = new Map<Id, Format>();
  let madeAt = revision;
  return (id) => {
    if (madeAt !== revision) {
      formats.clear();
      madeAt = revision;
    }
    let format = formats.get(id);
    if (format === undefined) {
      format = make(id, chosen);
      formats.set(id, format);
    }
    return format;
  };
}
