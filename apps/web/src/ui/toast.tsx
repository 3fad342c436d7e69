import { CircleAlert, CircleCheck, X } from 'lucide-react';
import { useSyncExternalStore } from 'react';

/** Short messages in a corner. Errors stay until dismissed; the rest leave after five seconds, with something to press after ten. */
interface Toast {
  id: number;
  kind: 'ok' | 'error';
  text: string;
  action?: { title: string; run: () => void };
}

let toasts: readonly Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

function dismiss(id: number): void {
  set(toasts.filter((toast) => toast.id !== id));
}

export function showToast(kind: Toast['kind'], text: string, action?: Toast['action']): void {
  const id = ++lastId;
  const toast: Toast = action === undefined ? { id, kind, text } : { id, kind, text, action };
  set([...toasts.filter((other) => other.text !== text).slice(-2), toast]);
  if (kind === 'ok') setTimeout(() => dismiss(id), action === undefined ? 5000 : 10_000);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <section
      aria-label="Messages"
      aria-live="polite"
      className="pointer-events-none fixed inset-x-4 bottom-20 z-70 flex flex-col items-center gap-2 lg:inset-x-auto lg:end-6 lg:bottom-6 lg:items-end"
    >
      {shown.map((toast) => (
        <div
          key={toast.id}
          className="overlay pointer-events-auto flex max-w-md items-center gap-3 py-2 ps-3 pe-2 text-sm"
        >
          {toast.kind === 'ok' ? (
            <CircleCheck size={16} className="shrink-0 text-ok" aria-hidden />
          ) : (
            <CircleAlert size={16} className="shrink-0 text-crit" aria-hidden />
          )}
          <span className="grow">{toast.text}</span>
          {toast.action !== undefined && (
            <button
              type="button"
              className="btn btn-ghost btn-small text-accent"
              onClick={() => {
                toast.action?.run();
                dismiss(toast.id);
              }}
            >
              {toast.action.title}
            </button>
          )}
          <button
            type="button"
            className="btn btn-ghost btn-small btn-icon"
            aria-label="Dismiss"
            onClick={() => dismiss(toast.id)}
          >
            <X size={14} aria-hidden />
          </button>
        </div>
      ))}
    </section>
  );
}
