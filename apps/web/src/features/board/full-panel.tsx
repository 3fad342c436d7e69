import { Minimize2 } from 'lucide-react';
import { useEffect } from 'react';
import type { Panel as PanelSpec } from '@nowcast/contract';
import { Button } from '../../ui/button.tsx';
import { focusPanel } from './focus-panel.ts';
import { Panel } from './panel.tsx';

/** One panel over the whole board. */
export function FullPanel({ panel, onClose }: { panel: PanelSpec; onClose: () => void }) {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && !event.defaultPrevented) onClose();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [onClose]);
  useEffect(() => () => focusPanel(panel.visualization_id), [panel.visualization_id]);
  return (
    <div className="h-[calc(100dvh-140px)] min-h-80 max-sm:h-[calc(100dvh-232px)]">
      <Panel
        panel={panel}
        alone
        menu={() => (
          <Button variant="ghost" size="small" onPress={onClose}>
            <Minimize2 size={15} aria-hidden />
            Back to the board
          </Button>
        )}
      />
    </div>
  );
}
