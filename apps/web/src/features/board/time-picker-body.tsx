import { useState } from 'react';
import { useLive } from '../../live/live-context.ts';
import { endsProblem, parseRangeText, rangeTextProblem } from '../../time/range-text.ts';
import { describeRange, liveRange, quickRanges, rangeEnds, type TimeRange } from '../../time/range.ts';
import { recentRanges, rememberRange } from '../../time/recent-ranges.ts';
import { fromLocalInput, toLocalInput, zoneChoices } from '../../time/zone-input.ts';
import { resolveZone, type ZoneName } from '../../time/zone.ts';
import { Button } from '../../ui/button.tsx';
import { SelectInput, TextInput } from '../../ui/field.tsx';

export interface TimePickerProps {
  range: TimeRange;
  zone: ZoneName;
  onRange: (range: TimeRange) => void;
  onZone: (zone: ZoneName) => void;
}

/** Free text on top, quick and recent ranges at the start, exact ends and the zone at the end. */
export function PickerBody({ range, zone, onRange, onZone, close }: TimePickerProps & { close: () => void }) {
  const live = useLive();
  const [openedMs] = useState(() => live.serverNow());
  const choose = (next: TimeRange): void => {
    rememberRange(next);
    onRange(next);
    close();
  };
  const recent = recentRanges();
  return (
    <div className="max-h-[80dvh] overflow-y-auto">
      <div className="border-b border-line p-3">
        <FreeText zone={zone} onRange={choose} />
      </div>
      <div className="flex flex-col sm:flex-row">
        <div
          className="grid grid-cols-2 content-start gap-0.5 border-line p-2 sm:w-48 sm:grid-cols-1 sm:border-e"
          role="group"
          aria-label="Quick ranges"
        >
          {quickRanges.map((quick) => {
            const value = liveRange(quick.window);
            const current =
              range.kind === 'live' && value.kind === 'live' && value.windowMs === range.windowMs;
            return (
              <button
                key={quick.window}
                type="button"
                aria-pressed={current}
                className={`menu-item ${current ? 'bg-accent/15 font-semibold' : ''}`}
                onClick={() => choose(value)}
              >
                {quick.title}
              </button>
            );
          })}
        </div>
        <div className="flex min-w-0 flex-1 flex-col">
          <Exact
            key={JSON.stringify(range)}
            ends={rangeEnds(range, openedMs)}
            zone={zone}
            onRange={choose}
            onZone={onZone}
          />
          {recent.length > 0 && (
            <div className="border-t border-line p-2" role="group" aria-label="Recent ranges">
              <p className="label px-2">Recent</p>
              {recent.map((one) => (
                <button
                  key={JSON.stringify(one)}
                  type="button"
                  className="menu-item"
                  onClick={() => choose(one)}
                >
                  {describeRange(one, live.serverNow(), zone)}
                </button>
              ))}
            </div>
          )}
        </div>
      </div>
    </div>
  );
}

function FreeText({ zone, onRange }: { zone: ZoneName; onRange: (range: TimeRange) => void }) {
  const live = useLive();
  const [text, setText] = useState('');
  const [error, setError] = useState('');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const nowMs = live.serverNow();
        const range = parseRangeText(text, nowMs, zone);
        if (range === null) setError(rangeTextProblem(text, nowMs, zone));
        else onRange(range);
      }}
    >
      <TextInput
        label="Range in words"
        hideLabel
        placeholder="15m, now-6h, yesterday, 09:00 to 10:30…"
        value={text}
        error={error}
        autoFocus={matchMedia('(pointer: fine)').matches}
        autoComplete="off"
        spellCheck={false}
        onValue={(value) => {
          setText(value);
          setError('');
        }}
      />
    </form>
  );
}

const zones = zoneChoices();

function Exact({
  ends,
  zone,
  onRange,
  onZone,
}: {
  ends: { from: number; to: number };
  zone: ZoneName;
  onRange: (range: TimeRange) => void;
  onZone: (zone: ZoneName) => void;
}) {
  // What nobody touched is the same moment in another zone; what was typed is the same text.
  const [typed, setTyped] = useState<{ from?: string; to?: string }>({});
  const { from, to } = { from: toLocalInput(ends.from, zone), to: toLocalInput(ends.to, zone), ...typed };
  const [error, setError] = useState('');
  const apply = (): void => {
    // Its text does not say which of two equal hours it is, nor the milliseconds.
    const range = {
      kind: 'fixed' as const,
      from: typed.from === undefined ? ends.from : fromLocalInput(typed.from, zone),
      to: typed.to === undefined ? ends.to : fromLocalInput(typed.to, zone),
    };
    const problem = endsProblem(range);
    if (problem === null) onRange(range);
    else setError(problem);
  };
  return (
    <form
      className="flex flex-col gap-3 p-3"
      onSubmit={(event) => {
        event.preventDefault();
        apply();
      }}
    >
      <TextInput
        label="From"
        type="datetime-local"
        step={1}
        value={from}
        onValue={(value) => setTyped({ ...typed, from: value })}
      />
      <TextInput
        label="To"
        type="datetime-local"
        step={1}
        value={to}
        error={error}
        onValue={(value) => setTyped({ ...typed, to: value })}
      />
      <SelectInput
        label="Time zone"
        value={zone}
        choices={
          zones.some((one) => one.value === zone)
            ? zones
            : [...zones, { value: zone, title: resolveZone(zone) }]
        }
        onValue={onZone}
      />
      <Button variant="primary" type="submit">
        Show this range
      </Button>
    </form>
  );
}
