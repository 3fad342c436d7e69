import { useState } from 'react';
import type { Panel } from '@nowcast/contract';
import { Button } from '../../ui/button.tsx';
import { TextInput } from '../../ui/field.tsx';
import { Modal } from '../../ui/modal.tsx';
import { minimumHeight } from '../board/board-content.ts';
import { boardColumns } from '../board/grid-layout.ts';

type Field = 'x' | 'y' | 'w' | 'h';
const fields: { name: Field; title: string; hint: string; most: number }[] = [
  { name: 'x', title: 'Column', hint: '1–12', most: boardColumns },
  { name: 'y', title: 'Row', hint: 'from the top', most: 10_000 },
  { name: 'w', title: 'Width', hint: 'columns, 1–12', most: boardColumns },
  { name: 'h', title: 'Height', hint: 'rows of 32 px', most: 60 },
];

/** Position and size as numbers: the way that needs no dragging. */
export function MoveDialog({
  panel,
  onMove,
  onClose,
}: {
  panel: Panel;
  onMove: (layout: Panel['layout']) => void;
  onClose: () => void;
}) {
  const { x, y, w, h } = panel.layout;
  const [values, setValues] = useState<Record<Field, string>>({
    x: String(x + 1),
    y: String(y + 1),
    w: String(w),
    h: String(h),
  });
  const apply = (): void => {
    const width = Number(values.w);
    onMove({
      x: Math.min(boardColumns - width, Number(values.x) - 1),
      y: Number(values.y) - 1,
      w: width,
      h: Math.max(minimumHeight(panel.chart_type), Number(values.h)),
    });
  };
  return (
    <Modal title={`Move or resize “${panel.title}”`} open onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          apply();
        }}
      >
        <div className="grid grid-cols-2 gap-4">
          {fields.map((field) => (
            <TextInput
              key={field.name}
              label={field.title}
              hint={field.hint}
              type="number"
              required
              min={1}
              max={field.most}
              value={values[field.name]}
              onValue={(value) => setValues({ ...values, [field.name]: value })}
            />
          ))}
        </div>
        <div className="mt-6 flex justify-end gap-2">
          <Button variant="ghost" onPress={onClose}>
            Cancel
          </Button>
          <Button variant="primary" type="submit">
            Apply
          </Button>
        </div>
      </form>
    </Modal>
  );
}
