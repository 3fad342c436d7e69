/** The first SIGINT or SIGTERM asks for an early end: what is measured by then is reported. The second ends at once. */
let asked = false;

export function stopAsked(): boolean {
  return asked;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    if (asked) process.exit(1);
    asked = true;
    console.error('Ending early; what was measured so far is reported.');
  });
