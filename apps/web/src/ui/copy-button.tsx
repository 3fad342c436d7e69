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
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  if (!copied) throw new Error('The browser refused to copy. Select the text and copy it by hand.');
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
