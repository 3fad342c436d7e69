import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { messageOf } from '../api/http.ts';
import { Button } from './button.tsx';
import { showToast } from './toast.tsx';

/** Copies, also where the clipboard interface is missing (plain HTTP off loopback). */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) {
    await navigator.clipboard.writeText(text);
    return;
  }
  if (!copySelected(text))
    throw new Error('The browser refused to copy. Select the text and copy it by hand.');
}

/** By a selection, which takes no focus: dialogs and menus would take it back, and the selection with it. */
function copySelected(text: string): boolean {
  const place = document.createElement('span');
  place.textContent = text;
  place.style.cssText = 'position:fixed;opacity:0;user-select:text';
  // What lies beside an open dialog is inert and cannot be selected.
  (document.activeElement?.closest('[role=dialog],[role=menu]') ?? document.body).append(place);
  let isWritten = false;
  const write = (event: ClipboardEvent): void => {
    event.preventDefault();
    event.clipboardData?.setData('text/plain', text);
    isWritten = event.clipboardData !== null;
  };
  document.addEventListener('copy', write);
  getSelection()?.selectAllChildren(place);
  const isDone = document.execCommand('copy');
  document.removeEventListener('copy', write);
  getSelection()?.removeAllRanges();
  place.remove();
  return isDone && isWritten;
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    const timer = copied ? setTimeout(() => setCopied(false), 2000) : undefined;
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = (): void => {
    copyText(text)
      .then(() => setCopied(true))
      .catch((error: unknown) => showToast('error', messageOf(error)));
  };
  return (
    <Button aria-label={label} onPress={copy}>
      {copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
      {copied ? 'Copied' : 'Copy'}
    </Button>
  );
}
