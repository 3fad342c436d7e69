import { describe, expect, it } from 'vitest';
import type { BoardContent } from '@nowcast/contract';
import { draftReducer, isDirty, startDraft, type Draft } from './board-draft.ts';

const board = (title: string): BoardContent => ({
  title,
  description: '',
  window: '15m',
  shared: false,
  variables: [],
  panels: [],
});
const change = (draft: Draft, title: string, tag?: string): Draft =>
  draftReducer(
    draft,
    tag === undefined
      ? { type: 'change', content: board(title) }
      : { type: 'change', content: board(title), tag },
  );

describe('a board being edited', () => {
  it('goes back and forth through its changes', () => {
    let draft = change(change(startDraft(board('a')), 'b'), 'c');
    draft = draftReducer(draft, { type: 'undo' });
    expect(draft.content.title).toBe('b');
    draft = draftReducer(draftReducer(draft, { type: 'undo' }), { type: 'undo' });
    expect(draft.content.title).toBe('a');
    expect(isDirty(draft)).toBe(false);
    draft = draftReducer(draftReducer(draft, { type: 'redo' }), { type: 'redo' });
    expect(draft.content.title).toBe('c');
    expect(draftReducer(draft, { type: 'redo' })).toBe(draft);
  });

  it('is unsaved where it differs from what was saved, whichever way that is reached', () => {
    let draft = change(startDraft(board('a')), 'b');
    const { content } = draft;
    draft = draftReducer(draft, { type: 'undo' });
    draft = draftReducer(draft, { type: 'saved', content });
    expect(isDirty(draft)).toBe(true);
    expect(isDirty(draftReducer(draft, { type: 'redo' }))).toBe(false);
    expect(isDirty(change(draft, 'c'))).toBe(true);
  });

  it('takes typing back as one step', () => {
    let draft = startDraft(board(''));
    for (const title of ['C', 'CP', 'CPU']) draft = change(draft, title, 'title');
    expect(draftReducer(draft, { type: 'undo' }).content.title).toBe('');
  });

  it('forgets what was undone once something else is changed', () => {
    let draft = change(startDraft(board('a')), 'b');
    draft = change(draftReducer(draft, { type: 'undo' }), 'c');
    expect(draft.future).toEqual([]);
  });

  it('keeps the last fifty steps', () => {
    let draft = startDraft(board('0'));
    for (let i = 1; i <= 80; i++) draft = change(draft, String(i));
    for (let i = 0; i < 80; i++) draft = draftReducer(draft, { type: 'undo' });
    expect(draft.content.title).toBe('30');
  });
});
