import type { BoardContent } from '@nowcast/contract';

/** What is being edited, with a way back: 50 steps, as plain data. */
export interface Draft {
  content: BoardContent;
  past: readonly BoardContent[];
  future: readonly BoardContent[];
  /** Name of the change that made `content`; changes with the same name melt into one step (typing a title). */
  tag: string;
  /** What the server has of it. */
  saved: BoardContent;
}

export type DraftAction =
  | { type: 'change'; content: BoardContent; tag?: string }
  | { type: 'undo' }
  | { type: 'redo' }
  | { type: 'saved'; content: BoardContent }
  | { type: 'reset'; content: BoardContent };

const keptSteps = 50;

export function startDraft(content: BoardContent): Draft {
  return { content, past: [], future: [], tag: '', saved: content };
}

export function draftReducer(draft: Draft, action: DraftAction): Draft {
  switch (action.type) {
    case 'reset':
      return startDraft(action.content);
    case 'saved':
      return { ...draft, saved: action.content };
    case 'undo': {
      const before = draft.past.at(-1);
      if (before === undefined) return draft;
      return {
        ...draft,
        content: before,
        past: draft.past.slice(0, -1),
        future: [draft.content, ...draft.future],
        tag: '',
      };
    }
    case 'redo': {
      const [after, ...rest] = draft.future;
      if (after === undefined) return draft;
      return { ...draft, content: after, past: [...draft.past, draft.content], future: rest, tag: '' };
    }
    default: {
      const tag = action.tag ?? '';
      const melts = tag !== '' && tag === draft.tag;
      const past = melts ? draft.past : [...draft.past, draft.content].slice(-keptSteps);
      return { ...draft, content: action.content, past, future: [], tag };
    }
  }
}

/** Whether leaving would lose something. What undo brings back is the same object as before. */
export function isDirty(draft: Draft): boolean {
  return draft.content !== draft.saved;
}
