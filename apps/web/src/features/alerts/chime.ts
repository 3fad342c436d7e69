/**
 * A short sound without a file. Browsers let a page be heard only after somebody has touched it: a wallboard that was
 * reloaded by itself is silent until then, and says so.
 */
let context: AudioContext | undefined;

function contextOf(): AudioContext {
  context ??= new AudioContext();
  return context;
}

/** Whether this page may be heard now; asks the browser again each time. */
export async function mayChime(): Promise<boolean> {
  const audio = contextOf();
  if (audio.state === 'suspended') {
    // A refusal leaves the promise open instead of rejecting it.
    const refused = new Promise<void>((resolve) => setTimeout(resolve, 200));
    await Promise.race([audio.resume(), refused]);
  }
  return audio.state === 'running';
}

const tones = [
  { hertz: 880, at: 0 },
  { hertz: 660, at: 0.18 },
  { hertz: 880, at: 0.36 },
] as const;
const toneSeconds = 0.16;
const loudness = 0.25;

/** Three tones, half a second. */
export function chime(): void {
  const audio = contextOf();
  if (audio.state !== 'running') return;
  for (const { hertz, at } of tones) {
    const start = audio.currentTime + at;
    const oscillator = audio.createOscillator();
    const gain = audio.createGain();
    oscillator.frequency.value = hertz;
    // Ramps instead of steps: a step clicks.
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(loudness, start + 0.02);
    gain.gain.linearRampToValueAtTime(0, start + toneSeconds);
    oscillator.connect(gain).connect(audio.destination);
    oscillator.start(start);
    oscillator.stop(start + toneSeconds);
  }
}
