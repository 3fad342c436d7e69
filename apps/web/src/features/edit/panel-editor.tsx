import { X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { Panel } from '@nowcast/contract';
import { Button } from '../../ui/button.tsx';
import { TextInput } from '../../ui/field.tsx';
import { focusPanel } from '../board/focus-panel.ts';
import { AlertFields } from './alert-fields.tsx';
import { DisplayFields } from './display-fields.tsx';
import { QueryFields } from './query-fields.tsx';
import { unfinishedTab } from './whole-panel.ts';

type Tab = 'query' | 'display' | 'alerts';
const tabs: { id: Tab; title: string }[] = [
  { id: 'query', title: 'Query' },
  { id: 'display', title: 'Display' },
  { id: 'alerts', title: 'Alerts' },
];

/** The drawer beside the grid (below it on tablets, a full sheet on phones); every change is seen in the panel at once. */
export function PanelEditor({
  panel,
  onChange,
  onClose,
}: {
  panel: Panel;
  /** Changes of one panel with the same tag, one after the other, are one step; those without are always one each. */
  onChange: (panel: Panel, tag: string) => void;
  onClose: () => void;
}) {
  const [tab, setTab] = useState<Tab>(() => unfinishedTab(panel) ?? 'query');
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    box.current?.focus();
    return () => focusPanel(panel.visualization_id);
  }, [panel.visualization_id]);
  return (
    <aside
      ref={box}
      tabIndex={-1}
      aria-label={`Edit ${panel.title}`}
      className="fixed inset-0 z-50 flex animate-[drawer-in_200ms_var(--ease)] flex-col border-line bg-raised outline-none sm:shadow-overlay sm:max-lg:start-[56px] sm:max-lg:top-auto sm:max-lg:h-[46dvh] sm:max-lg:border-t lg:start-auto lg:top-12 lg:w-[360px] lg:border-s"
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !event.defaultPrevented) onClose();
      }}
    >
      <div className="flex items-center justify-between gap-2 px-4 pt-3">
        <h2 className="text-lg font-semibold">Edit panel</h2>
        <Button variant="ghost" size="small" icon aria-label="Close editor" onPress={onClose}>
          <X size={16} aria-hidden />
        </Button>
      </div>
      <div role="tablist" aria-label="Panel settings" className="flex gap-1 border-b border-line px-4 pt-1">
        {tabs.map((one) => (
          <button
            key={one.id}
            type="button"
            role="tab"
            id={`tab-${one.id}`}
            aria-selected={tab === one.id}
            aria-controls="panel-editor-body"
            className={`h-9 cursor-pointer border-b-2 px-3 text-sm font-medium ${
              tab === one.id ? 'border-accent text-text' : 'border-transparent text-muted hover:text-text'
            }`}
            onClick={() => setTab(one.id)}
          >
            {one.title}
          </button>
        ))}
      </div>
      <div
        role="tabpanel"
        id="panel-editor-body"
        aria-labelledby={`tab-${tab}`}
        className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto p-4 pb-10 sm:max-lg:grid sm:max-lg:grid-cols-2 sm:max-lg:content-start"
      >
        {tab === 'query' && (
          <>
            <TextInput
              label="Title"
              maxLength={200}
              value={panel.title}
              onValue={(title) => onChange({ ...panel, title }, 'title')}
            />
            <QueryFields panel={panel} onChange={onChange} />
          </>
        )}
        {tab === 'display' && <DisplayFields panel={panel} onChange={onChange} />}
        {tab === 'alerts' && <AlertFields panel={panel} onChange={onChange} />}
      </div>
    </aside>
  );
}
