import './login.css';

/** Leaves the offline page as soon as the server answers again; asks every few seconds while the page is seen. */
const line = document.getElementById('last-try');

async function probe(): Promise<void> {
  try {
    const answer = await fetch('/healthz', { cache: 'no-store' });
    if (answer.ok) {
      location.reload();
      return;
    }
  } catch {
    // Still offline.
  }
  if (line !== null) line.textContent = `Last try ${new Date().toLocaleTimeString()}`;
}

setInterval(() => {
  if (document.visibilityState === 'visible') void probe();
}, 3000);
addEventListener('online', () => void probe());
