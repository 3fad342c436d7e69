import type { Choice } from '../../ui/field.tsx';
import type { NumberFormat } from '../../units/locale.ts';

/** Languages whose dates and numbers are offered; any other tag that a browser reports works as "Like the browser". */
const tags =
  'cs-CZ da-DK de-AT de-CH de-DE en-AU en-CA en-GB en-IE en-IN en-US es-ES es-MX fi-FI fr-CA fr-CH fr-FR it-IT ja-JP ko-KR nb-NO nl-NL pl-PL pt-BR pt-PT sv-SE tr-TR uk-UA zh-CN zh-TW'.split(
    ' ',
  );

/** Each in its own language, the chosen one among them even when it is not one of ours. */
export function localeChoices(chosen: string): Choice[] {
  const offered = chosen === 'browser' || tags.includes(chosen) ? tags : [...tags, chosen];
  const own = { value: 'browser', title: `Like the browser (${navigator.language})` };
  return [
    own,
    ...offered.map((value) => ({
      value,
      title: new Intl.DisplayNames([value], { type: 'language' }).of(value) ?? value,
    })),
  ];
}

export const numberFormatChoices: readonly Choice<NumberFormat>[] = [
  { value: 'locale', title: 'Like the language' },
  { value: 'comma_dot', title: '1,234.5' },
  { value: 'dot_comma', title: '1.234,5' },
  { value: 'space_comma', title: '1 234,5' },
  { value: 'apostrophe_dot', title: '1’234.5' },
];
