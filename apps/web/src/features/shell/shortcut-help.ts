import { modifier } from './modifier.ts';

/** For the help page. */
export const shortcutHelp: readonly {
  title: string;
  keys: readonly (readonly [keys: string, text: string])[];
}[] = [
  {
    title: 'Everywhere',
    keys: [
      ['?', 'This help'],
      [`${modifier}K`, 'Go to anything'],
      ['/', 'Search'],
      ['g h', 'Home'],
      ['g d', 'Boards'],
      ['g e', 'Explore'],
      ['g a', 'Alerts'],
      ['g s', 'Sources'],
    ],
  },
  {
    title: 'On a board',
    keys: [
      ['l', 'Live or pause'],
      ['t', 'Time range'],
      ['0 – 7', 'Quick ranges, last 10 seconds to last 7 days'],
      ['e', 'Edit'],
      ['v', 'The panel under the pointer alone, and back'],
    ],
  },
  {
    title: 'On a chart',
    keys: [
      ['← →', 'Read samples'],
      ['↑ ↓', 'Other series'],
      ['Page Up, Page Down', '50 samples'],
      ['Home, End', 'First, last'],
    ],
  },
  {
    title: 'In the alert inbox',
    keys: [
      ['j, k', 'Next, previous'],
      ['a', 'Acknowledge'],
      ['s', 'Silence'],
    ],
  },
  {
    title: 'While editing',
    keys: [
      [`${modifier}Z, Shift ${modifier}Z`, 'Undo, redo'],
      [`${modifier}S`, 'Save'],
      ['Enter on a grip', 'Grab; arrows move, Shift and arrows resize, Enter drops, Esc restores'],
    ],
  },
];
