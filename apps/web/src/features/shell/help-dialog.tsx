import { Modal } from '../../ui/modal.tsx';
import { shortcutHelp } from './shortcut-help.ts';

export function HelpDialog({ onClose }: { onClose: () => void }) {
  return (
    <Modal title="Keyboard shortcuts" open onClose={onClose} width={640}>
      <div className="grid gap-6 sm:grid-cols-2">
        {shortcutHelp.map((group) => (
          <section key={group.title}>
            <h3 className="mb-2 text-sm font-semibold">{group.title}</h3>
            <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1.5 text-sm">
              {group.keys.map(([keys, text]) => (
                <div key={keys} className="contents">
                  <dt>
                    <kbd>{keys}</kbd>
                  </dt>
                  <dd className="text-muted">{text}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p className="mt-6 text-xs text-muted">Shortcuts can be switched off in your profile.</p>
    </Modal>
  );
}
