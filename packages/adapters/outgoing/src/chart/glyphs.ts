/**
 * The characters of axis labels as 5 columns of 7 dots, lowest bit on top: the classic matrix of character displays.
 * What is not in here is drawn as a space.
 */
const columns: Readonly<Record<string, string>> = {
  '0': '3e5149453e',
  '1': '00427f4000',
  '2': '4261514946',
  '3': '2141454b31',
  '4': '1814127f10',
  '5': '2745454539',
  '6': '3c4a494930',
  '7': '0171090503',
  '8': '3649494936',
  '9': '064949291e',
  '.': '0060600000',
  ',': '0050300000',
  ':': '0036360000',
  '-': '0808080808',
  '+': '08083e0808',
  '/': '2010080402',
  '%': '2313086462',
  '°': '0006090600',
  $: '242a7f2a12',
  '€': '143e555541',
  '–': '0808080808',
  µ: '7e1010107e',
  B: '7f49494936',
  C: '3e41414122',
  E: '7f49494941',
  G: '3e41495132',
  H: '7f0808087f',
  K: '7f08142241',
  M: '7f020c027f',
  P: '7f09090906',
  T: '01017f0101',
  U: '3f4040403f',
  b: '7f48444438',
  d: '384444487f',
  e: '3854545418',
  h: '7f08040478',
  i: '00447d4000',
  k: '7f10284400',
  m: '7c04180478',
  n: '7c08040478',
  s: '4854545420',
  t: '043f444020',
  z: '4464544c44',
};

export const glyphHeight = 7;
/** With the gap to the next one. */
export const glyphAdvance = 6;

/** Whether the dot of a character is set; column 0–4, row 0–6. */
export function hasDot(char: string, column: number, row: number): boolean {
  const text = Object.hasOwn(columns, char) ? columns[char]! : '0000000000';
  return ((Number.parseInt(text.slice(column * 2, column * 2 + 2), 16) >> row) & 1) === 1;
}
